//! The filter wheel: places, names, and honest moves.

use crate::{
    Lab, Outcome, case_list, ensure, require,
    target::{connects, controls_obey_their_ranges, refused, unknown_action_is_refused},
};
use astrobackend::{
    ErrorKind,
    device::{DeviceKind, FilterWheel, FilterWheelExt},
    event::EventKind,
};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

case_list!("filter_wheel": connects_and_disconnects, controls, unknown_action, every_place_has_a_name, a_move_is_seen_and_ends_there,
    a_place_it_does_not_have_is_refused, an_unknown_name_lists_the_names, names_select_their_places, names_can_be_changed,
    a_move_to_the_same_place_is_fine, a_move_is_an_event);

fn connects_and_disconnects(lab: &Lab) -> Outcome {
    connects(&lab.any(DeviceKind::FilterWheel)?)
}

fn controls(lab: &Lab) -> Outcome {
    controls_obey_their_ranges(&*lab.filter_wheel()?)
}

fn unknown_action(lab: &Lab) -> Outcome {
    unknown_action_is_refused(&*lab.filter_wheel()?)
}

fn every_place_has_a_name(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let filters = wheel.filters()?;
    ensure!(!filters.is_empty(), "the wheel has no places");
    ensure!(filters.iter().all(|filter| !filter.name.trim().is_empty()), "a filter has no name: {filters:?}");
    let position = standing(lab, &*wheel)?;
    ensure!(position < filters.len(), "it stands at place {position} of {}", filters.len());
    Ok(())
}

fn standing(lab: &Lab, wheel: &dyn FilterWheel) -> Result<usize, crate::Stop> {
    Ok(lab.wait().until("the wheel", || Ok(wheel.state()?.position), || Ok(()))?)
}

/// No wheel of the suite turns to another place in less, simulated ones that run fast included.
const QUICKEST: Duration = Duration::from_millis(20);

fn a_move_is_seen_and_ends_there(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let places = wheel.filters()?.len();
    require!(places > 1, "the wheel has one place");
    let target = (standing(lab, &*wheel)? + places / 2) % places;
    let told = Instant::now();
    wheel.start_move(target)?;
    let at_once = wheel.state()?.position;
    // On a machine that has more to do it may have arrived by now, and nowhere else.
    let arrived = at_once == Some(target) && told.elapsed() > QUICKEST;
    ensure!(at_once.is_none() || arrived, "{:?} after the command it claims to stand at {at_once:?}", told.elapsed());
    let arrived = standing(lab, &*wheel)?;
    ensure!(arrived == target, "sent to place {target}, it arrived at {arrived}");
    Ok(())
}

fn a_place_it_does_not_have_is_refused(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let before = standing(lab, &*wheel)?;
    for place in [wheel.filters()?.len(), usize::MAX] {
        let what = format!("place {place}");
        let error = refused(&*wheel, &what, wheel.start_move(place), &[ErrorKind::InvalidValue])?;
        let limit = (wheel.filters()?.len() - 1).to_string();
        ensure!(error.to_string().contains(&limit), "the refusal does not name the limit {limit}: {error}");
    }
    ensure!(wheel.state()?.position == Some(before), "it moved although it refused");
    Ok(())
}

fn an_unknown_name_lists_the_names(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let error =
        refused(&*wheel, "an unknown filter", wheel.select("no such filter", &lab.wait()), &[ErrorKind::NotFound])?;
    let first = &wheel.filters()?[0].name;
    ensure!(error.to_string().contains(first), "the refusal does not list the filters: {error}");
    Ok(())
}

fn names_select_their_places(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let filters = wheel.filters()?;
    let unique: HashSet<_> = filters.iter().map(|filter| filter.name.to_ascii_lowercase()).collect();
    require!(unique.len() == filters.len(), "two filters have the same name");
    for place in [filters.len() - 1, 0] {
        wheel.select(&filters[place].name, &lab.wait())?;
        ensure!(wheel.state()?.position == Some(place), "{} is not in place", filters[place].name);
    }
    Ok(())
}

fn names_can_be_changed(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let names: Vec<String> = wheel.filters()?.into_iter().map(|filter| filter.name).collect();
    let mut other = names.clone();
    other[0] = "Conformance".into();
    match wheel.set_names(&other) {
        Err(error) if error.kind() == ErrorKind::Unsupported => require!(false, "filters cannot be renamed"),
        other => other?,
    }
    let read = wheel.filters()?;
    wheel.set_names(&names)?;
    ensure!(read[0].name == "Conformance", "renamed, it reads {read:?}");
    refused(&*wheel, "too few names", wheel.set_names(&names[1..]), &[ErrorKind::InvalidValue])?;
    Ok(())
}

fn a_move_to_the_same_place_is_fine(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let place = standing(lab, &*wheel)?;
    wheel.move_to(place, &lab.wait())?;
    ensure!(wheel.state()?.position == Some(place), "it left its place");
    Ok(())
}

fn a_move_is_an_event(lab: &Lab) -> Outcome {
    let wheel = lab.filter_wheel()?;
    let places = wheel.filters()?.len();
    require!(places > 1, "the wheel has one place");
    let target = (standing(lab, &*wheel)? + 1) % places;
    let events = lab.backend.events();
    wheel.move_to(target, &lab.wait())?;
    let id = wheel.info().id;
    while let Some(event) = events.next(Duration::from_secs(10)) {
        if let EventKind::State(astrobackend::device::DeviceState::FilterWheel(state)) = &event.kind
            && event.device.as_ref() == Some(&id)
            && state.position == Some(target)
        {
            return Ok(());
        }
    }
    Err(crate::Stop::Fail("no event told that the wheel arrived".into()))
}
