//! `props`: raw INDI properties, in the manner of indi_getprop and indi_setprop.

use crate::context::Context;
use astrobackend::{
    Backend, Error, Result,
    backend::indi::{
        Indi,
        properties::{Assignment, Change, Changes, Element, Pattern, Properties, Property, Value},
    },
    wait::Deadline,
};
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};

/// Time between two looks at Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

const PATTERNS: &str = "\
A PATTERN is DEVICE.PROPERTY.ELEMENT; * stands for any letters, and what is left out at the end for all.
In place of an element: _LABEL, _GROUP, _STATE, _PERM, _TO (timeout, s), _TS (time of the values), _RULE, _TYPE.
Quote it: shells have their own use for stars and blanks.

Examples:
  astrobackend props get \"CCD Simulator.CCD_GAIN.GAIN\" \"*.CONNECTION._STATE\"
  astrobackend props set \"CCD Simulator.CCD_GAIN.GAIN=100\" \"CCD Simulator.CCD_BINNING.HOR_BIN;VER_BIN=2;2\"
  astrobackend props watch \"Telescope Simulator.EQUATORIAL_EOD_COORD\"";

/// What to do with properties.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Verb {
    /// Print values, one a line: DEVICE.PROPERTY.ELEMENT=VALUE
    #[command(after_help = PATTERNS)]
    Get {
        /// What to print [default: everything]
        #[arg(value_name = "PATTERN")]
        patterns: Vec<Pattern>,
        /// Print the value alone, for a pattern that means one
        #[arg(short = '1')]
        bare: bool,
    },
    /// Change values, one property after the other; done when the driver has answered
    #[command(after_help = PATTERNS)]
    Set {
        /// DEVICE.PROPERTY.ELEMENT=VALUE, or several elements: D.P.A;B=1;2 or D.P.A=1;B=2
        #[arg(value_name = "ASSIGNMENT", required = true)]
        assignments: Vec<Assignment>,
    },
    /// Print values now and whenever the driver tells them, until interrupted
    #[command(after_help = PATTERNS)]
    Watch {
        /// What to print [default: everything]
        #[arg(value_name = "PATTERN")]
        patterns: Vec<Pattern>,
        /// End after this time instead of at Ctrl-C
        #[arg(long = "for", value_name = "SECONDS", value_parser = crate::values::seconds, allow_negative_numbers = true)]
        duration: Option<Duration>,
    },
}

/// Prints, changes or watches; --timeout is the longest wait for a property or an answer (2 s by default).
pub(crate) fn run(ctx: &Context, verb: &Verb) -> Result<()> {
    let servers = servers(ctx)?;
    match verb {
        Verb::Get { patterns, bare } => get(ctx, &servers, &or_all(patterns), *bare),
        Verb::Set { assignments } => assignments.iter().try_for_each(|wanted| set(ctx, &servers, wanted)),
        Verb::Watch { patterns, duration } => watch(ctx, &servers, &or_all(patterns), *duration),
    }
}

/// The INDI servers of this command.
fn servers(ctx: &Context) -> Result<Vec<Properties>> {
    let backends: Vec<Arc<dyn Backend>> = ctx.session.backends()?;
    let all: Vec<Result<Properties>> =
        backends.iter().map(|backend| Indi::of(&**backend).map(Indi::properties)).collect();
    let (found, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    match found.is_empty() {
        true => {
            Err(missing.into_iter().find_map(Result::err).unwrap_or_else(|| Error::not_found("there is no backend")))
        }
        false => found.into_iter().collect(),
    }
}

fn or_all(patterns: &[Pattern]) -> Vec<Pattern> {
    if patterns.is_empty() { vec![Pattern::all()] } else { patterns.to_vec() }
}

/// What a pattern means, on the first server that has any of it.
fn find(ctx: &Context, servers: &[Properties], pattern: &Pattern) -> Result<Vec<Property>> {
    let mut found = Err(Error::not_found(format!("there is no {pattern}")));
    for server in servers {
        found = server.find(pattern, ctx.definition());
        if found.is_ok() {
            break;
        }
    }
    found
}

fn get(ctx: &Context, servers: &[Properties], patterns: &[Pattern], bare: bool) -> Result<()> {
    let (mut lines, mut objects, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for pattern in patterns {
        ctx.go_on()?;
        match find(ctx, servers, pattern) {
            Ok(properties) => {
                lines.extend(properties.iter().flat_map(|property| values(property, pattern)));
                objects.extend(properties.iter().map(object));
            }
            Err(error) => missing.push(error),
        }
    }
    let text = match (bare, &lines[..]) {
        (true, [(_, value)]) => value.clone(),
        (true, [_, _, ..]) => {
            return Err(Error::invalid(format!("-1 wants one value, there are {}", lines.len())));
        }
        _ => lines.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"),
    };
    // What was found is of use even when something else was not.
    if !objects.is_empty() {
        ctx.out.data(text, json!({ "properties": objects }))?;
    }
    missing.into_iter().next().map_or(Ok(()), Err)
}

fn values(property: &Property, pattern: &Pattern) -> Vec<(String, String)> {
    let name = |element| format!("{}.{}.{element}", property.device, property.name);
    pattern.select(property).into_iter().map(|(element, value)| (name(element), value)).collect()
}

fn set(ctx: &Context, servers: &[Properties], wanted: &Assignment) -> Result<()> {
    ctx.go_on()?;
    let Assignment { device, property, .. } = wanted;
    let pattern = Pattern { device: device.clone(), property: property.clone(), element: "*".into() };
    let here = |server: &&Properties| !server.list(&pattern).is_empty();
    let server = servers.iter().find(here).or_else(|| servers.first());
    let server = server.ok_or_else(|| Error::not_found("there is no backend"))?;
    let now = server.set(device, property, &wanted.values(), ctx.definition())?;
    ctx.out.note(format!("{device}.{property} is {}", now.state.as_str()));
    ctx.out.answer(json!({ "properties": [object(&now)] }))
}

fn watch(ctx: &Context, servers: &[Properties], patterns: &[Pattern], duration: Option<Duration>) -> Result<()> {
    let deadline = Deadline::after(duration.unwrap_or(Duration::MAX));
    let watched: Vec<(&Pattern, &Properties, Changes)> = patterns
        .iter()
        .flat_map(|pattern| servers.iter().map(move |server| (pattern, server, server.watch(pattern))))
        .collect();
    for (pattern, server, _) in &watched {
        server.list(pattern).iter().try_for_each(|property| show(ctx, pattern, property))?;
    }
    let pause = LOOK / u32::try_from(watched.len()).unwrap_or(u32::MAX).max(1);
    while !deadline.has_passed() {
        ctx.go_on()?;
        for (pattern, _, changes) in &watched {
            let mut next = changes.next(pause.min(deadline.remaining()));
            while let Some(change) = next {
                tell(ctx, pattern, change)?;
                next = changes.next(Duration::ZERO);
            }
        }
    }
    Ok(())
}

fn tell(ctx: &Context, pattern: &Pattern, change: Change) -> Result<()> {
    match change {
        Change::Defined(property) | Change::Updated(property) => show(ctx, pattern, &property),
        Change::Deleted { device, property } => {
            ctx.out.note(format!("{device}.{} is gone", property.as_deref().unwrap_or("*")));
            ctx.out.answer(json!({ "deleted": { "device": device, "property": property } }))
        }
        Change::Lost(why) => {
            ctx.out.warn(&why);
            Ok(())
        }
        Change::Lagged(lost) => {
            ctx.out.warn(&Error::new(astrobackend::ErrorKind::Io, format!("{lost} changes were lost")));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn show(ctx: &Context, pattern: &Pattern, property: &Property) -> Result<()> {
    let Some(cut) = pattern.cut(property) else { return Ok(()) };
    let lines: Vec<_> = values(&cut, pattern).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    match lines.is_empty() && cut.elements.iter().all(|element| element.value == Value::Blob) {
        true => ctx.out.answer(json!({ "property": object(&cut) })),
        false => ctx.out.data(lines.join("\n"), json!({ "property": object(&cut) })),
    }
}

/// A property as JSON; limits only where the driver gives some.
fn object(property: &Property) -> Json {
    let element = |element: &Element| {
        let mut object = json!({ "name": element.name, "label": element.label });
        match &element.value {
            Value::Number(number) => {
                let (min, max) = number.range().unzip();
                object["value"] = number.value.into();
                object["min"] = min.into();
                object["max"] = max.into();
                object["step"] = Some(number.step).filter(|step| *step > 0.0).into();
                object["format"] = number.format.as_str().into();
            }
            Value::Switch(on) => object["value"] = (*on).into(),
            Value::Text(text) => object["value"] = text.as_str().into(),
            Value::Light(state) => object["value"] = state.as_str().into(),
            _ => object["value"] = Json::Null,
        }
        object
    };
    json!({
        "device": property.device,
        "name": property.name,
        "label": property.label,
        "group": property.group,
        "kind": property.kind.to_string().to_lowercase(),
        "state": property.state.as_str(),
        "perm": property.perm.as_str(),
        "rule": property.rule.map(|rule| rule.as_str()),
        "timeout_seconds": property.timeout.map(|timeout| timeout.as_secs_f64()),
        "timestamp": Some(&property.timestamp).filter(|text| !text.is_empty()),
        "elements": property.elements.iter().map(element).collect::<Vec<_>>(),
    })
}
