use super::*;
use proptest::prelude::*;

const GOOD: &str = r#"
observer = "C. Messier"

[site]
name = "Hotel de Cluny"
latitude = "48:51:02.5"
longitude = 2.3441
elevation = 40

[devices]
main = "sim:///Camera Simulator?seed=7"
wheel = "indi://pi.local:7624/EFW"

[optics.main]
name = "Newtonian 200/800"
focal_length_mm = 800
aperture_mm = 200.5
wheel = "wheel"
"#;

fn problems(text: &str) -> Vec<String> {
    read(text).1.iter().map(Problem::to_string).collect()
}

fn only(text: &str) -> String {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn a_good_file_is_read_whole() {
    let rig: Rig = GOOD.parse().unwrap();
    assert_eq!(rig.observer.as_deref(), Some("C. Messier"));
    let site = rig.site.unwrap();
    assert!((site.latitude.0 - 48.850_694).abs() < 1e-6);
    assert_eq!((site.longitude, site.elevation), (Degrees(2.3441), Metres(40.0)));
    assert_eq!(rig.role("@wheel").unwrap().to_string(), "indi://pi.local:7624/EFW");
    assert_eq!(rig.optics["main"].aperture, Some(Metres(0.2005)));
    assert_eq!("".parse::<Rig>().unwrap(), Rig::default());
}

#[test]
fn a_typo_names_its_line_and_the_word_meant() {
    assert_eq!(
        only(&GOOD.replace("latitude =", "latitud =").replace("longitude = 2.3441\n", "")),
        "6:1: there is no key \"latitud\" in [site]; did you mean \"latitude\"?"
    );
    assert_eq!(
        only(&GOOD.replace("[optics.main]", "[optics.mian]")),
        "14:9: no device plays the role \"mian\"; did you mean \"main\"?"
    );
    assert_eq!(only("[sites]\nname = \"x\""), "1:2: there is no key \"sites\" in the rig; did you mean \"site\"?");
    assert!(only(&GOOD.replace("wheel = \"wheel\"", "wheel = \"whel\"")).starts_with("18:9: "));
}

#[test]
fn wrong_values_name_the_limit_or_the_form() {
    assert_eq!(only(&GOOD.replace("\"48:51:02.5\"", "98.2")), "6:12: latitude 98.2 is not within -90 to 90 degrees");
    assert!(only(&GOOD.replace("2.3441", "286.3")).contains("west of Greenwich is negative"));
    assert_eq!(only(&GOOD.replace("= 800", "= \"800\"")), "16:19: focal_length_mm must be a number, not a string");
    assert!(only(&GOOD.replace("latitude = \"48:51:02.5\"\n", "")).contains("has a longitude but no latitude"));
    assert!(only(&GOOD.replace("2.3441", "nan")).contains("longitude NaN is not within"));
}

#[test]
fn bad_addresses_say_why() {
    let main = |address: &str| only(&format!("[devices]\nmain = \"{address}\""));
    assert!(main("sim://").contains("names no device"), "{}", main("sim://"));
    assert!(main("simm:///Camera").contains("there is no backend \"simm\""));
    assert!(main("indi://host:99999/CCD").contains("\"99999\" is no port"));
    assert!(main("sim:///Camera Simulator?sped=3").contains("no option \"sped\""));
    assert!(main("indi://pi/CCD?timeout=soon").contains("timeout must be"));
    assert!(main("alpaca://pi/camera/0?timeout=soon").contains("timeout"));
    assert!(main("ascom:///ProgID?any=1").contains("no option \"any\""));
    assert!("[devices]\nmain = \"ascom:///ProgID?timeout=5\"".parse::<Rig>().is_ok(), "it is for another computer");
    assert!(only("[devices]\n\"@main\" = \"sim:///C\"").contains("only letters"));
}

#[test]
fn all_problems_are_listed_in_order() {
    let found = problems("observer = 5\n[site]\nlatitude = 91\nlongitude = 0\n[devices]\nmain = true\n");
    let lines: Vec<_> = found.iter().map(|problem| &problem[..2]).collect();
    assert_eq!(lines, ["1:", "3:", "6:"]);
    let error = "observer = 5\n[site]\nlatitude = 91\nlongitude = 0".parse::<Rig>().unwrap_err().to_string();
    assert_eq!(error, "rig, line 1:12: observer must be a text in quotes, not an integer (and 1 more problem)");
}

#[test]
fn a_file_beyond_the_limits_is_refused_quickly() {
    let role = |n: usize| format!("[optics.r{n}]\n");
    let many: String = (0..3000).map(role).collect();
    assert_eq!(problems(&format!("[devices]\nmain = 1\n{many}")).len(), MOST_PROBLEMS);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rig.toml");
    std::fs::write(&path, " ".repeat(LONGEST)).unwrap();
    assert!(Rig::load(&path).is_ok());
    std::fs::write(&path, " ".repeat(LONGEST + 1)).unwrap();
    assert!(Rig::load(&path).unwrap_err().to_string().contains("longer than 65536 bytes"));
}

#[test]
fn broken_toml_names_its_line() {
    assert!(problems("observer = \"x\"\n[site\nname = \"y\"").iter().any(|problem| problem.starts_with("2:")));
    assert!(!problems("a = 1\na = 2").is_empty());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[\\PC\n]{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn any_damage_to_a_good_file_is_survived(at in 0..GOOD.len(), with in "\\PC{0,3}") {
        let mut text = GOOD.to_owned();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &with);
        }
        let _ = read(&text);
    }
}
