//! INDI elements in text, for scripts.

use super::Kind;

/// The five entities, nothing else.
pub fn escape(text: &str) -> String {
    let mut escaped = text.replace('&', "&amp;");
    for (raw, entity) in [("<", "&lt;"), (">", "&gt;"), ("'", "&apos;"), ("\"", "&quot;")] {
        escaped = escaped.replace(raw, entity);
    }
    escaped
}

/// `setNumberVector` and so on.
pub fn set(kind: Kind, device: &str, name: &str, state: &str, elements: &[(&str, &str)]) -> String {
    let (device, name) = (escape(device), escape(name));
    let mut xml = format!("<set{kind}Vector device='{device}' name='{name}' state='{state}' timeout='60'>\n");
    for (element, value) in elements {
        xml += &format!("<one{kind} name='{}'>\n{}\n</one{kind}>\n", escape(element), escape(value));
    }
    xml + &format!("</set{kind}Vector>\n")
}

/// `setNumberVector` with numbers.
pub fn numbers(device: &str, name: &str, state: &str, elements: &[(&str, f64)]) -> String {
    let texts: Vec<_> = elements.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let elements: Vec<_> = texts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    set(Kind::Number, device, name, state, &elements)
}

/// A message of a device.
pub fn message(device: &str, text: &str) -> String {
    format!("<message device='{}' timestamp='2026-01-01T00:00:00' message='{}'/>\n", escape(device), escape(text))
}

/// The end of a property, or of a whole device.
pub fn delete(device: &str, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" name='{}'", escape(name))).unwrap_or_default();
    format!("<delProperty device='{}'{name}/>\n", escape(device))
}
