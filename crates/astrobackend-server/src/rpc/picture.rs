//! `camera_get_image`: a line that announces the pixels, and then the pixels as they lie in memory.

use super::{client::Output, devices::Served, dispatch::Reply, options::Limits};
use astrobackend::{
    Image,
    device::AnyDevice,
    wire::rpc::{Answer, Params, PictureHead, Refusal, bytes_of},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Fetches the last picture from the backend, unless the client has it. With `take` it is not kept: at once, or, for a
/// client that has a picture, only when it is that one.
pub(super) async fn fetch(served: &Arc<Served>, limits: Limits, params: Params) -> Result<Reply, Refusal> {
    let AnyDevice::Camera(camera) = &served.device else { return Err(Refusal::application("that is no camera")) };
    let (camera, take) = (camera.clone(), params.get("take") == Some(&Value::Bool(true)));
    let known = params.get("known").and_then(Value::as_str).map(str::to_owned);
    let session = served.clone();
    let work = move || {
        if take && known.is_none() {
            let image = camera.take_image()?;
            let tag = session.session.tag(&image);
            return Ok((image, tag, false));
        }
        let image = camera.image()?;
        let tag = session.session.tag(&image);
        let same = known.as_ref() == Some(&tag);
        if take && same {
            // It is there already, whatever becomes of this.
            drop(camera.take_image());
        }
        Ok((image, tag, same))
    };
    let fetched = served.calls.run("camera_get_image", limits.image, work).await;
    let (image, tag, same) = fetched.map_err(|error| error.on(&served.id))?;
    if same {
        return Ok(Reply::Value(json!({ "same": true })));
    }
    Ok(Reply::Picture(image, tag))
}

/// Announces the picture and sends it.
pub(super) async fn send(output: &Output, id: Value, image: &Image, tag: String) {
    let head = serde_json::to_value(PictureHead::of(image, tag));
    let outcome = head.map_err(|error| Refusal::application(error.to_string()));
    let announced = outcome.is_ok();
    let mut line = Vec::with_capacity(1024);
    Answer { id, outcome }.write(&mut line);
    let pixels: &[u8] = if announced { bytes_of(image.pixels()) } else { &[] };
    output.send(&[&line, pixels]).await;
}
