//! Slews, tracking, parking.

use super::*;

pub(crate) fn mount(server: &IndiServer) -> Result<Arc<dyn Mount>, Failed> {
    let mount = open(server)?.mount()?;
    mount.connect()?;
    Ok(mount)
}

pub(crate) fn the_mount_slews_tracks_and_syncs() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let mount = mount(&server)?;
    let caps = mount.caps()?;
    assert!(caps.slew && caps.sync && caps.park && caps.set_tracking && caps.pulse_guide, "{caps:?}");
    assert_eq!(caps.equinox, Equinox::OfDate);
    assert_eq!(mount.site()?, None, "nobody has told it where it stands");
    let site = astrobackend::Site::new(Degrees(50.0), Degrees(-7.5), astrobackend::Metres(100.0))?;
    mount.set_site(site)?;
    assert_eq!(mount.site()?, Some(site));
    let lst = mount.state()?.sidereal_time.expect("a site");
    mount.set_tracking(Tracking::SIDEREAL)?;
    assert!(mount.state()?.tracking.on);

    let start = here((lst + Hours(1.0)).normalized().0, 60.0);
    mount.sync(start.into())?;
    assert!(mount.state()?.position.separation(start).0 < 0.1);
    let target = here((lst + Hours(1.3)).normalized().0, 66.0);
    let begun = Instant::now();
    mount.start_slew(target.into())?;
    assert!(mount.state()?.slewing, "busy from the command on");
    mount.slew(target, &wait())?;
    assert!(begun.elapsed() >= seconds(0.7), "it cannot be there yet");
    let state = mount.state()?;
    assert!(state.position.separation(target).0 < 0.1 && state.tracking.on && !state.slewing, "{state:?}");
    assert_ne!(state.pier_side, PierSide::Unknown);
    let horizon = state.horizon.expect("a site");
    assert!(horizon.alt.0 > 60.0 && horizon.az.0 < 180.0, "{horizon}");

    refused(mount.start_slew(here(25.0, 0.0).into()), ErrorKind::InvalidValue, "25");
    mount.start_slew(here((lst + Hours(6.0)).normalized().0, 10.0).into())?;
    refused(mount.set_tracking(Tracking::OFF), ErrorKind::InvalidOperation, "moving");
    mount.abort()?;
    assert!(!mount.state()?.slewing);
    mount.abort()?;
    mount.set_tracking(Tracking { rate: TrackingRate::Lunar, ..Tracking::SIDEREAL })?;
    assert_eq!(mount.state()?.tracking.rate, TrackingRate::Lunar);
    refused(
        mount.set_tracking(Tracking { rate: TrackingRate::King, ..Tracking::SIDEREAL }),
        ErrorKind::Unsupported,
        "king",
    );
    mount.pulse_guide(astrobackend::device::GuideDirection::North, seconds(0.5))?;
    assert!(mount.state()?.pulse_guiding);
    wait().until("the pulse", || Ok((!mount.state()?.pulse_guiding).then_some(())), || Ok(()))?;
    Ok(())
}

pub(crate) fn the_mount_parks_and_refuses_when_parked() -> Outcome {
    let server = IndiServer::start(&[TELESCOPE])?;
    let mount = mount(&server)?;
    mount.start_park()?;
    assert!(mount.state()?.slewing && !mount.state()?.parked);
    refused(mount.start_slew(here(3.0, 40.0).into()), ErrorKind::Busy, "parking");
    mount.park(&wait())?;
    assert!(mount.state()?.parked);
    mount.park(&wait())?;
    refused(mount.start_slew(here(3.0, 40.0).into()), ErrorKind::Parked, "parked");
    refused(mount.sync(here(3.0, 40.0).into()), ErrorKind::Parked, "parked");
    refused(mount.set_tracking(Tracking::SIDEREAL), ErrorKind::Parked, "parked");
    mount.unpark(&wait())?;
    mount.unpark(&wait())?;
    let state = mount.state()?;
    assert!(!state.parked && !state.slewing && !state.tracking.on, "{state:?}");
    Ok(())
}
