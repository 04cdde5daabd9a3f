//! The wheel and the focuser.

use super::*;

pub(crate) fn the_wheel_turns() -> Outcome {
    let server = IndiServer::start(&[WHEEL])?;
    let wheel = open(&server)?.filter_wheel()?;
    wheel.connect()?;
    let filters = wheel.filters()?;
    assert_eq!((filters.len(), filters[0].name.as_str(), filters[3].name.as_str()), (8, "Red", "H_Alpha"));
    wheel.start_move(4)?;
    assert_eq!(wheel.state()?.position, None, "it turns");
    wheel.move_to(4, &wait())?;
    assert_eq!(wheel.state()?.position, Some(4));
    wheel.select("green", &wait())?;
    assert_eq!(wheel.state()?.position, Some(1));
    refused(wheel.start_move(8), ErrorKind::InvalidValue, "0 to 7");
    let names: Vec<String> = (1..=8).map(|n| format!("F{n}")).collect();
    wheel.set_names(&names)?;
    assert_eq!(wheel.filters()?.into_iter().map(|filter| filter.name).collect::<Vec<_>>(), names);
    refused(wheel.set_names(&names[1..]), ErrorKind::InvalidValue, "7 names");
    Ok(())
}

pub(crate) fn the_focuser_moves_as_far_as_it_says() -> Outcome {
    let server = IndiServer::start(&[FOCUSER])?;
    let focuser = open(&server)?.focuser()?;
    focuser.connect()?;
    let caps = focuser.caps()?;
    assert!(caps.absolute && caps.max_position == 100_000 && !caps.halt, "{caps:?}");
    assert_eq!(focuser.state()?.position, Some(50_000));
    // This driver blocks while it moves and never says busy: 100 microseconds for each step.
    let begun = Instant::now();
    focuser.start_move(65_000)?;
    assert!(begun.elapsed() < seconds(1.0), "started, not waited for");
    assert!(focuser.state()?.moving);
    focuser.move_to(65_000, &wait())?;
    assert!(begun.elapsed() >= seconds(1.4), "the target was taken for the position");
    assert_eq!(focuser.state()?.position, Some(65_000));
    focuser.move_by(-1000, &wait())?;
    assert_eq!(focuser.state()?.position, Some(64_000));
    refused(focuser.start_move(100_001), ErrorKind::InvalidValue, "100000");
    refused(focuser.start_move(-1), ErrorKind::InvalidValue, "0");
    refused(focuser.halt(), ErrorKind::Unsupported, "stopped");
    Ok(())
}
