//! `rig check`: what is wrong with a rig file.

use crate::context::Context;
use astrobackend::{
    Error, Result,
    rig::{Problem, Rig, Session},
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to do with a rig file.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Verb {
    /// Explain everything that is wrong with a rig file
    Check {
        /// The file
        file: PathBuf,
        /// Also open each device and connect it
        #[arg(long)]
        connect: bool,
    },
}

/// Does it.
pub(crate) fn run(ctx: &Context, verb: &Verb) -> Result<()> {
    let Verb::Check { file, connect } = verb;
    let (rig, problems) = Rig::check(file)?;
    let shown = file.display().to_string();
    let mut lines: Vec<String> = problems.iter().map(|problem| format!("{shown}:{problem}")).collect();
    let devices = connect.then(|| connect_all(&rig));
    for (role, result) in devices.iter().flatten() {
        lines.push(match result {
            Ok(what) => format!("@{role}: {what}"),
            Err(error) => format!("@{role}: {error}"),
        });
    }
    let all_connected = devices.iter().flatten().all(|(_, result)| result.is_ok());
    if problems.is_empty() && all_connected {
        lines.push(format!("{shown}: {}", summary(&rig)));
    }
    let object = json!({
        "file": shown,
        "problems": problems.iter().map(problem_object).collect::<Vec<_>>(),
        "roles": rig.devices.iter().map(|(role, address)| (role.clone(), Value::from(address.to_string()))).collect::<Value>(),
        "connected": devices.as_ref().map(|devices| {
            devices.iter().map(|(role, result)| (role.clone(), Value::from(result.is_ok()))).collect::<Value>()
        }),
    });
    ctx.out.data(lines.join("\n"), object)?;
    if !problems.is_empty() {
        let noun = if problems.len() == 1 { "problem" } else { "problems" };
        return Err(Error::invalid(format!("{shown} has {} {noun}", problems.len())));
    }
    match devices.into_iter().flatten().find_map(|(_, result)| result.err()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn problem_object(problem: &Problem) -> Value {
    json!({ "line": problem.line, "column": problem.column, "message": problem.message })
}

/// Opens each device and connects it; one that fails does not keep the others from being tried.
fn connect_all(rig: &Rig) -> Vec<(String, Result<String>)> {
    let session = Session::new().with_rig(rig.clone());
    let connect = |role: &String| {
        let mut found = Vec::new();
        for member in session.named(&format!("@{role}"))? {
            let id = member.info.id;
            session.connected(id.kind, Some(&format!("@{role}")))?;
            found.push(format!("{} {:?} is connected", id.kind, id.name));
        }
        Ok(found.join(", "))
    };
    rig.devices.keys().map(|role| (role.clone(), connect(role))).collect()
}

fn summary(rig: &Rig) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let site = if rig.site.is_some() { "a site" } else { "no site" };
    format!("good: {}, {}, {site}", count(rig.devices.len(), "device"), count(rig.optics.len(), "optical train"))
}
