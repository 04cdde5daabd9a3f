//! `expose`: the main job, from pointing to files.

use super::{cool, filter, focus, preview, slew};
use crate::{
    context::Context,
    exit, json,
    progress::Progress,
    values::{self, Binning, FocusMove, Place, Region},
};
use astrobackend::{
    Celsius, Equinox, Error, ErrorKind, RaDec, Result,
    device::{Camera, Control, DeviceId, DeviceKind, Exposure, FilterWheel, Focuser, FrameType, Mount, Target},
    guard::Verdict,
    image::Frame,
    naming::Pattern,
    preview::{Options, render, statistics},
    rig::{Picture, Shot, check_folder, check_writable},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Arguments of `expose`.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "The picture")]
pub(crate) struct Args {
    /// Exposure time; a bias frame without it takes the camera's shortest
    #[arg(long, short, value_parser = values::seconds, allow_negative_numbers = true)]
    seconds: Option<Duration>,
    /// How many pictures
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// Binning: 2, or 2x1 for across and down
    #[arg(long, value_name = "N|XxY")]
    binning: Option<Binning>,
    /// Region of the sensor, in pixels of the picture, that is binned ones
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT")]
    roi: Option<Region>,
    /// Gain, in the camera's own units
    #[arg(long, value_parser = values::number, allow_negative_numbers = true)]
    gain: Option<f64>,
    /// Offset, in the camera's own units
    #[arg(long, value_parser = values::number, allow_negative_numbers = true)]
    offset: Option<f64>,
    /// light, dark, bias or flat
    #[arg(long, value_name = "TYPE", default_value = "light")]
    frame_type: FrameType,
    /// Name of what is observed, for the header and the file name
    #[arg(long, value_name = "NAME")]
    object: Option<String>,
    /// Filter to bring in first: its name, or the number of its slot, from 1
    #[arg(long, value_name = "NAME|NUMBER", help_heading = "The telescope before it")]
    filter: Option<String>,
    /// Focuser position to move to first, or +500 and -500 from where it is
    #[arg(long, value_name = "POSITION", allow_negative_numbers = true, help_heading = "The telescope before it")]
    focus: Option<FocusMove>,
    /// Where to point first: "05:35:17.3 -05:23:28" in J2000 unless JNow follows it, or "alt 45 az 180"
    #[arg(long, value_name = "PLACE", help_heading = "The telescope before it")]
    target: Option<Place>,
    /// The target is of the present equinox
    #[arg(long, requires = "target", help_heading = "The telescope before it")]
    jnow: bool,
    /// Temperature to reach before the exposure
    #[arg(long, value_name = "CELSIUS", allow_negative_numbers = true, value_parser = values::number,
        help_heading = "The telescope before it")]
    cool: Option<f64>,
    /// File to write: a name with tokens such as {object} {type} {filter} {exptime} {gain} {temp} {bin}
    /// {datetime} {night} {n:04}; several pictures are numbered
    /// [default: {type}_{filter}_{exptime}s_{n:04}.fits, with {object} before it if there is one]
    #[arg(long, short, value_name = "PATTERN", help_heading = "The files")]
    output: Option<Pattern>,
    /// Replace files that exist
    #[arg(long, help_heading = "The files")]
    overwrite: bool,
    /// Also write a stretched PNG, beside the FITS file or under this name
    #[arg(long, value_name = "PNG", num_args = 0..=1, require_equals = true, help_heading = "The files")]
    preview: Option<Option<Pattern>>,
}

/// Checks everything that can be checked, then points, filters, focuses, cools, and takes the pictures; the exit code
/// tells whether one is bad.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<u8> {
    let plan = Plan::new(ctx, args)?;
    plan.set_up(ctx)?;
    let (mut taken, mut code) = (Vec::new(), exit::DONE);
    let result = (1..=args.count).try_for_each(|n| {
        ctx.go_on()?;
        let (picture, bad) = plan.take(ctx, args, n)?;
        taken.push(picture);
        if bad {
            code = exit::BAD_FRAME;
        }
        Ok(())
    });
    if ctx.out.json && !taken.is_empty() {
        ctx.out.data("", json!({ "pictures": taken }))?;
    }
    result.map(|()| code)
}

/// What is to be done, with every device connected and every value checked.
struct Plan {
    camera: Arc<dyn Camera>,
    shot: Shot,
    slew: Option<(Arc<dyn Mount>, Target)>,
    filter: Option<(Arc<dyn FilterWheel>, usize)>,
    focus: Option<(Arc<dyn Focuser>, FocusMove)>,
    cool: Option<f64>,
    output: Pattern,
    preview: Option<Option<Pattern>>,
}

impl Plan {
    fn new(ctx: &Context, args: &Args) -> Result<Self> {
        let numbered = |pattern: Pattern| if args.count > 1 { pattern.with_counter() } else { pattern };
        let output = numbered(args.output.clone().map_or_else(|| default_name(args), Ok)?);
        let preview = args.preview.clone().map(|pattern| pattern.map(numbered));
        check_files(&output, preview.as_ref(), args.overwrite)?;

        let camera = ctx.camera()?;
        let target = args.target.map(|place| place.target(args.jnow));
        let shot = shot(&*camera, args, target)?;
        shot.check(&*camera)?;
        if let Some(celsius) = args.cool {
            cool::check(&*camera, celsius)?;
        }
        let filter = args.filter.as_ref().map(|wanted| {
            let wheel = ctx.filter_wheel()?;
            filter::find(&*wheel, wanted).map(|place| (wheel, place))
        });
        let focus = args.focus.map(|change| {
            let focuser = ctx.focuser()?;
            focus::check(&*focuser, change).map(|()| (focuser, change))
        });
        let slew = target.map(|target| {
            let mount = ctx.mount()?;
            match mount.state()?.parked {
                true => Err(Error::new(ErrorKind::Parked, "is parked; unpark it first").on(mount.info().id)),
                false => Ok((mount, target)),
            }
        });
        let (slew, filter, focus) = (slew.transpose()?, filter.transpose()?, focus.transpose()?);
        Ok(Plan { camera, shot, slew, filter, focus, cool: args.cool, output, preview })
    }

    /// Brings the telescope to where the picture is taken. The slew comes first: the mount alone knows its
    /// limits, and when it refuses nothing else has changed. The sensor cools while filter and focuser move.
    fn set_up(&self, ctx: &Context) -> Result<()> {
        if let Some((mount, target)) = &self.slew {
            slew::slew(ctx, &**mount, *target)?;
        }
        ctx.go_on()?;
        if let Some(celsius) = self.cool {
            self.camera.set_cooler(Some(Celsius(celsius)))?;
        }
        if let Some((wheel, place)) = &self.filter {
            filter::select(ctx, &**wheel, *place)?;
        }
        ctx.go_on()?;
        if let Some((focuser, change)) = &self.focus {
            focus::move_it(ctx, &**focuser, *change)?;
        }
        match self.cool {
            Some(celsius) => cool::until_cold(ctx, &*self.camera, celsius),
            None => Ok(()),
        }
    }

    /// Takes one picture and writes its files; what is known about it, for JSON, and whether it is bad.
    fn take(&self, ctx: &Context, args: &Args, n: u32) -> Result<(Value, bool)> {
        let exposure = self.shot.exposure;
        let which = if args.count > 1 { format!("{n}/{} ", args.count) } else { String::new() };
        let text = format!("{which}{} {} s", exposure.frame_type, exposure.duration.as_secs_f64());
        let progress = Progress::picture(ctx.out, &text, exposure.duration);
        let wait = ctx.exposure(exposure.duration);
        let taken = ctx.session.expose(&*self.camera, &self.shot, &wait, |state| progress.exposure(state));
        let picture = ctx.interruptible("the exposure was aborted", taken)?;
        progress.saving();
        let (n, file) = self.save(&picture, args.overwrite, n)?;
        let preview = self.preview.as_ref().map(|name| self.draw(&picture, name.as_ref(), &file, n, args.overwrite));
        drop(progress);
        picture.warnings.iter().for_each(|error| ctx.out.warn(error));
        if !ctx.out.json {
            ctx.out.data(file.display().to_string(), Value::Null)?;
        }
        let preview = preview.transpose()?;
        if let (Some(preview), false) = (&preview, ctx.out.json) {
            ctx.out.data(preview.display().to_string(), Value::Null)?;
        }
        let bad = warn_of(ctx, &picture, &file);
        Ok((if ctx.out.json { describe(&picture, &file, preview.as_deref()) } else { Value::Null }, bad))
    }

    /// Writes the FITS file under the first free name.
    fn save(&self, picture: &Picture, overwrite: bool, n: u32) -> Result<(u32, PathBuf)> {
        let (meta, observation) = (&picture.image.meta, &picture.observation);
        let (n, file) = match overwrite {
            true => (n, self.output.path(meta, observation, n)),
            false => self.output.next_free(meta, observation, n)?,
        };
        make_folder(&self.output, &file)?;
        picture.save(&file, overwrite)?;
        Ok((n, file))
    }

    fn draw(&self, picture: &Picture, name: Option<&Pattern>, fits: &Path, n: u32, overwrite: bool) -> Result<PathBuf> {
        let path = match name {
            Some(pattern) => {
                let path = pattern.path(&picture.image.meta, &picture.observation, n);
                make_folder(pattern, &path)?;
                path
            }
            None => preview::beside(fits),
        };
        render(&picture.image, &Options::default())?.write_png(&path, overwrite)?;
        Ok(path)
    }
}

/// Says what the frame guard holds against a picture; true for a bad one.
fn warn_of(ctx: &Context, picture: &Picture, file: &Path) -> bool {
    let says = |verdict: &Verdict| {
        let error = Error::new(ErrorKind::Device(0), format!("{} is {verdict}", file.display()));
        match &picture.image.meta.camera {
            Some(camera) => error.on(DeviceId::new(DeviceKind::Camera, camera)),
            None => error,
        }
    };
    match &picture.image.meta.verdict {
        Some(verdict @ Verdict::Bad(_)) => ctx.out.error(&says(verdict), exit::BAD_FRAME),
        Some(verdict @ Verdict::Suspect(_)) => ctx.out.warn(&says(verdict)),
        _ => {}
    }
    picture.image.meta.verdict.as_ref().is_some_and(Verdict::is_bad)
}

fn default_name(args: &Args) -> Result<Pattern> {
    let object = if args.object.is_some() { "{object}_" } else { "" };
    Pattern::parse(&format!("{object}{{type}}_{{filter}}_{{exptime}}s_{{n:04}}.fits"))
}

fn shot(camera: &dyn Camera, args: &Args, target: Option<Target>) -> Result<Shot> {
    let caps = camera.caps()?;
    let duration = match (args.seconds, args.frame_type) {
        (Some(duration), _) => duration,
        (None, FrameType::Bias) => *caps.exposure.start(),
        (None, other) => return Err(Error::invalid(format!("a {other} frame needs --seconds"))),
    };
    let Binning(bin_x, bin_y) = args.binning.unwrap_or(Binning(1, 1));
    let frame = match args.roi {
        Some(Region([x, y, width, height])) => Frame { x, y, width, height, bin_x, bin_y },
        None => {
            let (width, height) = (caps.sensor.width / u32::from(bin_x), caps.sensor.height / u32::from(bin_y));
            Frame { x: 0, y: 0, width, height, bin_x, bin_y }
        }
    };
    let controls = [(Control::Gain, args.gain), (Control::Offset, args.offset)];
    Ok(Shot {
        frame: Some(frame),
        controls: controls.into_iter().filter_map(|(control, value)| Some((control, value?))).collect(),
        object: args.object.clone(),
        target: match target {
            Some(Target::RaDec(place)) => Some(j2000(place)?),
            _ => None,
        },
        ..Shot::new(Exposure { duration, frame_type: args.frame_type })
    })
}

fn j2000(place: RaDec) -> Result<RaDec> {
    place.to(Equinox::J2000, astrobackend::Timestamp::now())
}

/// Refuses files that could not be written, as far as their names are known before the picture is taken.
fn check_files(output: &Pattern, preview: Option<&Option<Pattern>>, overwrite: bool) -> Result<()> {
    check_file(output, overwrite)?;
    match preview {
        None => Ok(()),
        Some(Some(pattern)) => check_file(pattern, overwrite),
        Some(None) => match literal(output) {
            Some(file) => check_writable(preview::beside(&file), overwrite),
            None => Ok(()),
        },
    }
}

fn check_file(pattern: &Pattern, overwrite: bool) -> Result<()> {
    match literal(pattern) {
        Some(file) => check_writable(file, overwrite),
        None => check_folder(fixed_folder(pattern)),
    }
}

/// The name itself when it has no tokens.
fn literal(pattern: &Pattern) -> Option<PathBuf> {
    let text = pattern.to_string();
    (!text.contains(['{', '}'])).then(|| text.into())
}

/// The folders before the first token: these must exist, the others are made.
fn fixed_folder(pattern: &Pattern) -> PathBuf {
    let text = pattern.to_string();
    let fixed = text.split(['{', '}']).next().unwrap_or_default();
    match fixed.rfind(std::path::is_separator) {
        Some(0) => "/".into(),
        Some(end) => fixed[..end].into(),
        None => PathBuf::new(),
    }
}

fn make_folder(pattern: &Pattern, file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if literal(pattern).is_none() => fs::create_dir_all(folder)
            .map_err(|error| Error::io(format!("cannot make the folder {}", folder.display()), error)),
        _ => Ok(()),
    }
}

fn describe(picture: &Picture, file: &Path, preview: Option<&Path>) -> Value {
    let (image, observation) = (&picture.image, &picture.observation);
    json!({
        "file": file.display().to_string(),
        "preview": preview.map(|path| path.display().to_string()),
        "width_px": image.width(),
        "height_px": image.height(),
        "pixel_type": image.pixels().type_name(),
        "frame_type": image.meta.frame_type.map(|kind| kind.to_string()),
        "start": image.meta.start.map(|start| start.to_string()),
        "exposure_s": image.meta.exposure.map(|length| length.as_secs_f64()),
        "temperature_c": image.meta.temperature.map(|temperature| temperature.0),
        "camera": image.meta.camera,
        "object": observation.object,
        "filter": observation.filter,
        "focus_position_steps": observation.focus_position,
        "pointing": observation.pointing.as_ref().map(json::ra_dec),
        "exposure_number": image.meta.exposure_number,
        "verdict": image.meta.verdict.as_ref().map(Verdict::name),
        "verdict_reason": image.meta.verdict.as_ref().and_then(Verdict::why),
        "statistics": json::statistics(&statistics(image)),
    })
}
