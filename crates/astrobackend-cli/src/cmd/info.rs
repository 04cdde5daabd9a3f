//! `info`: all that is known about a device.

use crate::{context::Context, json};
use astrobackend::{Result, device::AnyDevice};
use serde_json::{Value, json};

/// Arguments of `info`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The device; it is connected to learn what it can do
    #[arg(value_name = "NAME|ADDRESS|@ROLE")]
    device_name: String,
}

/// Shows what it is, what it can do, its settings and its state; a name that several devices have shows them all.
pub(crate) fn run(ctx: &Context, args: &Args) -> Result<()> {
    let mut all = Vec::new();
    for member in ctx.session.named(&args.device_name)? {
        let device = ctx.session.connected(member.info.id.kind, Some(&args.device_name))?;
        all.push(describe(&device)?);
    }
    let text = all.iter().map(|device| outline(device, 0)).collect::<Vec<_>>().join("\n");
    ctx.out.data(text, json!({ "devices": all }))
}

fn describe(device: &AnyDevice) -> Result<Value> {
    let controls = device.device().controls()?;
    let with_value = |info| json::control(info, device.device().control(info.control).ok());
    let more = json!({
        "capabilities": json::caps(device)?,
        "controls": controls.iter().map(with_value).collect::<Vec<_>>(),
        "state": json::state(&device.state()?),
    });
    Ok(json::merged(json::device_info(&device.device().info()), more))
}

/// A JSON object for people: a line for each member, sections indented; what is unknown is left out.
fn outline(object: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut text = String::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        let key = key.replace('_', " ");
        match value {
            Value::Null => {}
            Value::Object(_) => text += &format!("{indent}{key}:\n{}", outline(value, depth + 1)),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                text += &format!("{indent}{key}:\n");
                for item in items {
                    text += &format!("{indent}  - {}\n", one_line(item));
                }
            }
            Value::Array(items) if items.is_empty() => {}
            other => text += &format!("{indent}{key}: {}\n", one_line(other)),
        }
    }
    text
}

fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(one_line).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let known =
                members.iter().filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|v| !v.is_empty()));
            known
                .map(|(key, value)| format!("{}: {}", key.replace('_', " "), one_line(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) if number.is_f64() => decimal(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

/// Six decimals are enough for people, and none that say nothing.
fn decimal(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_reads_like_a_form() {
        let object = json!({ "name": "A", "driver": null, "state": { "position_steps": 5 }, "rates": ["a", "b"],
            "controls": [{ "name": "gain", "choices": [] }] });
        let text = outline(&object, 0);
        assert!(text.contains("name: A\n") && text.contains("state:\n  position steps: 5\n"), "{text}");
        assert!(text.contains("rates: a b\n") && text.contains("controls:\n  - name: gain\n"), "{text}");
        assert!(!text.contains("driver"), "{text}");
    }
}
