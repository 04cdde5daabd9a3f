use super::night;
use crate::{device::DeviceState, event::EventKind};

/// The kinds of what has come, in order.
fn heard(events: &crate::Events) -> Vec<EventKind> {
    std::iter::from_fn(|| events.try_next()).map(|event| event.kind).collect()
}

#[test]
fn an_order_is_told_at_once_and_only_once() {
    let night = night("");
    let events = night.backend.events();
    night.wheel().start_move(2).unwrap();
    let told = heard(&events);
    assert!(
        matches!(&told[..], [EventKind::State(DeviceState::FilterWheel(state))] if state.position.is_none()),
        "{told:?}"
    );
    night.wheel().start_move(2).unwrap();
    assert!(heard(&events).is_empty(), "nothing has changed");
    night.pass(10.0);
    night.world.announce(1);
    assert!(matches!(&heard(&events)[..], [EventKind::State(_)]));
}

#[test]
fn connections_are_news_and_the_turning_sky_is_not() {
    let night = night("");
    let events = night.backend.events();
    night.pass(100.0);
    night.world.announce(3);
    assert!(heard(&events).is_empty(), "the mount follows the pole");
    night.mount().connect().unwrap();
    assert!(heard(&events).is_empty(), "it was connected");
    night.mount().disconnect().unwrap();
    assert!(heard(&events).contains(&EventKind::Connected(false)));
}
