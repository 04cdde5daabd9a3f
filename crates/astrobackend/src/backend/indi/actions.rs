//! Raw properties as actions of each device, for what reaches a device only through its trait: bridges and
//! ASCOM clients.
//!
//! Their names and parameters are in the backend's documentation.
//! They also work while the device is not connected to its hardware, on what its driver defines then.

use super::{
    handle::Handle,
    properties::{Assignment, Pattern, Properties},
};
use crate::{Error, ErrorKind, Result};
use std::time::Duration;

const LIST: &str = "indi:list";
const GET: &str = "indi:get";
const SET: &str = "indi:set";

/// The names of the actions.
pub(super) fn names() -> Vec<String> {
    [LIST, GET, SET].map(str::to_owned).into()
}

/// Does one; names are compared without regard to case, as ASCOM has it.
pub(super) fn act(handle: &Handle, name: &str, parameters: &str) -> Result<String> {
    let action: fn(&Handle, &str) -> Result<String> = match name.to_ascii_lowercase().as_str() {
        LIST => list,
        GET => get,
        SET => set,
        _ => return handle.fail(Error::new(ErrorKind::UnknownAction, format!("has no action {name:?}"))),
    };
    handle.read_any(|_| Ok(()))?;
    action(handle, parameters).map_err(|error| handle.name(error))
}

fn pattern(handle: &Handle, parameters: &str) -> Pattern {
    let mut pattern = Pattern::of_device(&handle.device);
    if !parameters.trim().is_empty() {
        let (property, element) = parameters.split_once('.').unwrap_or((parameters, "*"));
        (pattern.property, pattern.element) = (property.trim().to_owned(), element.trim().to_owned());
    }
    pattern
}

fn list(handle: &Handle, parameters: &str) -> Result<String> {
    let pattern = pattern(handle, parameters);
    let mut lines = Vec::new();
    for property in Properties::new(handle.connection.clone()).list(&pattern) {
        let values = pattern.select(&property).into_iter();
        lines.extend(values.map(|(element, value)| format!("{}.{element}={value}", property.name)));
    }
    Ok(lines.join("\n"))
}

fn get(handle: &Handle, parameters: &str) -> Result<String> {
    let (name, element) = parameters
        .split_once('.')
        .map(|(name, element)| (name.trim(), element.trim()))
        .ok_or_else(|| Error::invalid(format!("{GET} takes PROPERTY.ELEMENT, not {parameters:?}")))?;
    let property = Properties::new(handle.connection.clone()).property(&handle.device, name, Duration::ZERO)?;
    let own = property.element(element).map(|element| element.value.to_string());
    let value = own.or_else(|| property.attribute(element));
    value.ok_or_else(|| Error::not_found(format!("{name} has no element {element:?}")))
}

fn set(handle: &Handle, parameters: &str) -> Result<String> {
    let wanted = Assignment::for_device(&handle.device, parameters)?;
    let properties = Properties::new(handle.connection.clone());
    let limit = handle.connection.timeout;
    let property = properties.set(&wanted.device, &wanted.property, &wanted.values(), limit)?;
    handle.connection.store().claims.forget(&handle.id, &wanted.property);
    Ok(property.state.as_str().to_owned())
}
