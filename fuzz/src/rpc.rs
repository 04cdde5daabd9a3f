//! The RPC's wire: bytes to lines, lines to requests and answers.

use astrobackend::{
    Address, Error, Event, Site,
    device::{
        CameraCaps, CameraState, ControlInfo, DeviceInfo, Exposure, ExposureState, Filter, FilterWheelState,
        FocuserCaps, FocuserState, GuideRates, MountCaps, MountState, Target, Tracking,
    },
    image::{Frame, ImageMeta},
    wire::rpc::{Answer, Incoming, Line, Lines, Method, PictureHead, Refusal, Request, room},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The longest line that is taken.
const LIMIT: usize = 200;

/// The lines of some bytes that come in pieces; `None` for one that is too long.
fn lines(data: &[u8], piece: usize) -> Vec<Option<Vec<u8>>> {
    let (mut lines, mut found) = (Lines::new(LIMIT), Vec::new());
    for piece in data.chunks(piece.max(1)) {
        lines.push(piece);
        while let Some(line) = lines.next_line() {
            found.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
        }
    }
    assert!(lines.take_rest().len() <= LIMIT);
    found
}

/// Any bytes are the same lines however they are cut.
pub fn framing(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let whole = lines(data, usize::MAX);
    assert_eq!(whole, lines(data, usize::from(*cut)), "cut into pieces of {cut}");
    whole.iter().flatten().for_each(|line| message(line));
}

/// Any line is a request or is answered with an error, and is something to a client; answers are single lines of ASCII.
pub fn message(line: &[u8]) {
    let mut answer = Vec::new();
    match Request::parse(line) {
        Ok(request) => {
            let known = Method::find(&request.method).is_some();
            let params = &request.params;
            let _ = (params.number("exposure"), params.whole("binning"), params.truth("overwrite"));
            let outcome =
                if known { Ok(serde_json::Value::Null) } else { Err(Refusal::unknown_method(&request.method)) };
            Answer { id: request.id, outcome }.write(&mut answer);
        }
        Err(error) => Answer { id: error.id, outcome: Err(error.refusal) }.write(&mut answer),
    }
    assert!(answer.is_ascii() && answer.iter().filter(|byte| **byte == b'\n').count() == 1);
    if let Incoming::Answer(_, Ok(result)) = Incoming::parse(line)
        && let Ok(head) = <PictureHead as serde::Deserialize>::deserialize(&result)
        && let Ok(pixels) = room(&head, 10_000)
    {
        let _ = head.picture(pixels);
    }
}

/// Any JSON is a value of the contract's type that the first byte chooses, or refused; what is written of it is read as it.
pub fn value(data: &[u8]) {
    let Some((which, json)) = data.split_first() else { return };
    let Ok(json) = serde_json::from_slice::<Value>(json) else { return };
    let all = [
        same::<Event>,
        same::<Error>,
        same::<ImageMeta>,
        same::<Frame>,
        same::<Site>,
        same::<Address>,
        same::<DeviceInfo>,
        same::<CameraCaps>,
        same::<CameraState>,
        same::<ExposureState>,
        same::<Exposure>,
        same::<ControlInfo>,
        same::<FilterWheelState>,
        same::<Vec<Filter>>,
        same::<FocuserCaps>,
        same::<FocuserState>,
        same::<MountCaps>,
        same::<MountState>,
        same::<Target>,
        same::<Tracking>,
        same::<GuideRates>,
        same::<PictureHead>,
    ];
    all[usize::from(*which) % all.len()](&json);
}

fn same<T: DeserializeOwned + Serialize>(json: &Value) {
    let Ok(read) = T::deserialize(json) else { return };
    let written = serde_json::to_value(&read).expect("a value");
    let again = T::deserialize(&written).unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(serde_json::to_value(&again).expect("a value"), written);
}
