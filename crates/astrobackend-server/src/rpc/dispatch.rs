//! Which call may wait, and how long.

use super::{Service, camera, contract, devices::Served, exposure, filter_wheel, focuser, mount, picture, save};
use astrobackend::{
    Image, Result,
    device::AnyDevice,
    wire::rpc::{Method, Params, Refusal},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a request leads to.
pub(super) enum Reply {
    /// The result.
    Value(Value),
    /// A picture and its tag.
    Picture(Arc<Image>, String),
    /// An exposure whose end is the answer.
    Exposing(exposure::Watched),
}

/// The answer, if it can be given without waiting for anybody.
pub(super) fn at_once(service: &Arc<Service>, method: &Method, params: &Params) -> Option<Result<Value, Refusal>> {
    let kind = method.kind.filter(|_| method.reads && method.name != "camera_get_image")?;
    let served = service.devices.find(kind, params)?;
    (served.from_memory || method.name == "get_info").then(|| perform(&served, method, params))
}

/// Does what is asked, within the limits.
///
/// # Errors
/// Why it is refused.
pub(super) async fn reply(service: &Arc<Service>, method: &Method, params: Params) -> Result<Reply, Refusal> {
    let limits = service.limits;
    let Some(kind) = method.kind else {
        // The one method of the server that may wait.
        let devices = service.clone();
        let list = move || devices.devices.list();
        let infos = service.devices.calls.run("get_devices", limits.call, list).await?;
        let infos = serde_json::to_value(infos).map_err(|error| Refusal::application(error.to_string()))?;
        return Ok(Reply::Value(json!({ "devices": infos })));
    };
    let served = match service.devices.find(kind, &params) {
        Some(served) => served,
        None => {
            let (searching, wanted) = (service.clone(), params.clone());
            let search = move || searching.devices.search(kind, &wanted);
            let found = service.devices.calls.run("looking for the device", limits.call, search).await;
            found.map_err(|error| if method.ours { error.into() } else { absent(kind) })?
        }
    };
    match method.name {
        "take_image" => return exposure::start(service, &served, params).await.map(Reply::Exposing),
        "camera_get_image" => return picture::fetch(&served, limits, params).await,
        _ => {}
    }
    let (name, method, working, saving) = (method.name, *method, served.clone(), service.clone());
    let limit = match name {
        "connect" | "disconnect" => limits.connect,
        "save_image" => limits.image,
        _ => limits.call,
    };
    let work = move || {
        // A refusal is no failure of the call.
        Ok(match method.name {
            "save_image" => save::save(&saving.folder, &working, &params),
            _ => perform(&working, &method, &params),
        })
    };
    let outcome = served.calls.run(name, limit, work).await.map_err(|error| error.on(&served.id));
    outcome?.map(Reply::Value)
}

/// As the original says it.
pub(super) fn absent(kind: astrobackend::device::DeviceKind) -> Refusal {
    let error = astrobackend::Error::not_connected();
    let mut name = kind.to_string();
    name[..1].make_ascii_uppercase();
    Refusal { message: format!("{name} not connected!"), ..error.into() }
}

/// Does what a method stands for.
fn perform(served: &Arc<Served>, method: &Method, params: &Params) -> Result<Value, Refusal> {
    if method.ours && contract::is_ours(method.name) {
        return contract::perform(served, method.name, params);
    }
    let outcome = match &served.device {
        AnyDevice::Camera(device) => camera::perform(served, &**device, method.name, params),
        AnyDevice::FilterWheel(device) => filter_wheel::perform(&**device, method.name, params),
        AnyDevice::Focuser(device) => focuser::perform(&**device, method.name, params),
        AnyDevice::Mount(device) => mount::perform(&**device, method.name, params),
        _ => Err(Refusal::unknown_method(method.name)),
    };
    outcome.map_err(|refusal| in_the_originals_words(refusal, served))
}

/// Kinds of failures that the original has words or codes for.
pub(super) fn in_the_originals_words(refusal: Refusal, served: &Served) -> Refusal {
    use astrobackend::{ErrorKind, wire::rpc::Code};
    match refusal.error.as_ref().map(|error| error.kind()) {
        Some(ErrorKind::NotConnected) => Refusal { message: absent(served.id.kind).message, ..refusal },
        Some(ErrorKind::InvalidValue) => Refusal { code: Code::Invalid, ..refusal },
        _ => refusal,
    }
}
