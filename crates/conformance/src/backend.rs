//! The backend: its list of devices, its addresses, its refusals.

use crate::{Lab, Outcome, case_list, ensure};
use astrobackend::{
    ErrorKind,
    device::{DeviceId, DeviceKind},
};
use std::collections::HashSet;

case_list!("backend": devices_have_names_of_their_own, a_device_address_opens_that_device, an_unknown_device_is_not_found,
    the_address_survives_printing);

fn devices_have_names_of_their_own(lab: &Lab) -> Outcome {
    let devices = lab.backend.devices()?;
    ensure!(!devices.is_empty(), "there are no devices");
    let ids: HashSet<&DeviceId> = devices.iter().map(|info| &info.id).collect();
    ensure!(ids.len() == devices.len(), "two devices share kind and name: {devices:?}");
    for info in &devices {
        ensure!(!info.id.name.trim().is_empty(), "a {} has no name", info.id.kind);
        let device = lab.backend.device(&info.id)?;
        ensure!(device.device().info().id == info.id, "{} opens as {:?}", info.id, device.device().info().id);
    }
    Ok(())
}

fn a_device_address_opens_that_device(lab: &Lab) -> Outcome {
    for info in lab.backend.devices()? {
        let text = info.address.to_string();
        let backend = astrobackend::open(&text)?;
        let only = backend.only(info.id.kind)?;
        ensure!(only == info.id, "{text} opens {only:?}, not {:?}", info.id);
    }
    Ok(())
}

fn an_unknown_device_is_not_found(lab: &Lab) -> Outcome {
    let devices = lab.backend.devices()?;
    for kind in DeviceKind::ALL {
        let result = lab.backend.device(&DeviceId::new(kind, "No Such Device"));
        let Err(error) = result else { return Err(crate::Stop::Fail(format!("an unknown {kind} was opened"))) };
        ensure!(error.kind() == ErrorKind::NotFound, "an unknown {kind} is {error:?}");
        if let Some(there) = devices.iter().find(|info| info.id.kind == kind) {
            ensure!(error.to_string().contains(&there.id.name), "the refusal does not say what there is: {error}");
        }
    }
    Ok(())
}

fn the_address_survives_printing(lab: &Lab) -> Outcome {
    let address = lab.backend.address();
    let read: astrobackend::Address = address.to_string().parse()?;
    ensure!(read == *address, "{address} is read as {read}");
    ensure!(lab.backend.to_string() == address.to_string(), "the backend displays as {}", lab.backend);
    Ok(())
}
