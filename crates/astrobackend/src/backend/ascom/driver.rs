//! A driver as a carrier of its members: made by its ProgID on a thread of its own, and again when its process dies and
//! the policy says so.

use super::{
    Policy,
    apartment::{Apartment, Home, Progress},
    dispatch::Dispatch,
    names, picture, variant,
};
use crate::{
    Error, ErrorKind, Image, Result,
    backend::{
        interfaces::{Argument, Arguments, Carrier},
        keeping::{Keeper, Keeping, Kept, LinkState, unreachable},
    },
    event::Link,
};
use serde_json::Value;
use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use windows::Win32::System::Variant::VARIANT;

/// The way to a driver: its link, and who looks after that.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) link: Arc<LinkState>,
    keeping: Keeping,
    pub(super) keeper: Keeper,
}

impl Way {
    pub(super) fn new(link: LinkState, keeping: Keeping) -> Arc<Self> {
        let way = Arc::new(Way { link: Arc::new(link), keeping, keeper: Keeper::default() });
        let kept: Weak<dyn Kept> = Arc::<Way>::downgrade(&way);
        way.keeper.look_after(kept);
        way
    }

    /// Why nobody but the keeper asks the driver now: it is lost, or is not as it was yet.
    fn check(&self) -> Result<()> {
        self.link.check()?;
        match self.link.get() {
            Link::Restoring if !self.link.is_keeper() => {
                Err(Error::new(ErrorKind::Unreachable, "the driver was lost and is being brought back"))
            }
            _ => Ok(()),
        }
    }
}

impl Kept for Way {
    fn link(&self) -> &Arc<LinkState> {
        &self.link
    }

    fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// A driver is made anew by using it.
    fn probe(&self) -> Option<Result<()>> {
        Some(Ok(()))
    }
}

/// A driver.
#[derive(Debug)]
pub(super) struct Driver {
    prog_id: Arc<str>,
    policy: Policy,
    apartment: OnceLock<Apartment>,
    /// There is an object.
    made: Arc<AtomicBool>,
    way: Arc<Way>,
}

impl Driver {
    pub(super) fn new(prog_id: &str, policy: Policy, way: Arc<Way>) -> Self {
        Driver { prog_id: prog_id.into(), policy, apartment: OnceLock::new(), made: Arc::default(), way }
    }

    fn apartment(&self) -> Result<&Apartment> {
        if let Some(apartment) = self.apartment.get() {
            return Ok(apartment);
        }
        let started = Apartment::start(&self.prog_id)?;
        Ok(self.apartment.get_or_init(|| started))
    }

    fn call<T: Send + 'static>(
        &self,
        member: &'static str,
        limit: Duration,
        work: impl FnOnce(&mut Dispatch, &Progress<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let losses = self.way.link.losses();
        self.way.check()?;
        let (prog_id, made) = (self.prog_id.clone(), self.made.clone());
        let (link, work_place) = (self.way.link.clone(), self.way.keeper.work());
        self.apartment()?.call(names::official(member), limit, move |home, progress| {
            if home.is_none() && link.losses() != losses {
                // While this call waited for its turn: making it anew is the keeper's, or the next caller's.
                return Err(Error::new(ErrorKind::Unreachable, "the driver was lost meanwhile"));
            }
            // One that was not used yet cannot be lost; one that is being brought back and cannot be made is.
            let in_use = made.load(Ordering::Relaxed) || link.get() != Link::Up;
            let object = object(home, &prog_id).map_err(|error| if in_use { unreachable(&error) } else { error });
            let done = object.and_then(|object| {
                made.store(true, Ordering::Relaxed);
                work(object, progress)
            });
            if let Err(error) = &done
                && error.kind() == ErrorKind::Unreachable
            {
                // A new one is made when it is used again.
                *home = None;
                let news = (in_use || made.load(Ordering::Relaxed)) && link.lose(error);
                // Only now: nobody shall take it for a driver that was not used yet.
                made.store(false, Ordering::Release);
                if news {
                    work_place.wake();
                }
            }
            done
        })
    }
}

/// The driver's object, made if need be.
fn object<'a>(home: &'a mut Home, prog_id: &str) -> Result<&'a mut Dispatch> {
    if home.is_none() {
        *home = Some(Dispatch::create(prog_id)?);
    }
    home.as_mut().ok_or_else(|| Error::protocol("the driver's object is not there"))
}

fn variants(arguments: &Arguments) -> Vec<VARIANT> {
    arguments.own.iter().map(|(_, argument)| variant::of(argument)).collect()
}

/// A value among others: one that makes no sense is as good as none, and the others count.
fn optional(answer: &VARIANT) -> Result<Value> {
    match variant::value(answer) {
        Err(error) if error.kind() == ErrorKind::Protocol => Ok(Value::Null),
        value => value,
    }
}

/// What is written to a property.
fn written(member: &str, arguments: &Arguments) -> Result<VARIANT> {
    match arguments.own.first() {
        Some((_, Argument::Text(moment))) if member == "utcdate" => variant::date(moment),
        Some((_, argument)) => Ok(variant::of(argument)),
        None => Err(Error::invalid(format!("{member} is written without a value"))),
    }
}

impl Carrier for Driver {
    fn get(&self, member: &'static str, arguments: &Arguments) -> Result<Value> {
        // A driver that was not used yet is not started to hear that it is not connected.
        if member == "connected" && !self.made.load(Ordering::Acquire) {
            self.way.check()?;
            return Ok(Value::Bool(false));
        }
        let arguments = arguments.clone();
        self.call(member, self.policy.call, move |object, _| variant::value(&object.get(member, variants(&arguments))?))
    }

    fn get_many(&self, asked: &[(&'static str, Arguments)]) -> Vec<Result<Value>> {
        let (asked, count) = (asked.to_vec(), asked.len());
        let all = self.call("members", self.policy.call, move |object, progress| {
            let mut answers = Vec::with_capacity(asked.len());
            for (member, arguments) in &asked {
                progress.at(names::official(member));
                let answer = object.get(member, variants(arguments)).and_then(|answer| optional(&answer));
                if let Err(error) = &answer
                    && error.kind() == ErrorKind::Unreachable
                {
                    return Err(error.clone());
                }
                answers.push(answer);
            }
            Ok(answers)
        });
        all.unwrap_or_else(|error| vec![Err(error); count])
    }

    fn put(&self, member: &'static str, arguments: &Arguments, limit: Duration) -> Result<Value> {
        let arguments = arguments.clone();
        self.call(member, limit, move |object, _| match names::is_written(member) {
            true => object.put(member, written(member, &arguments)?).map(|()| Value::Null),
            false => variant::value(&object.call(member, variants(&arguments))?),
        })
    }

    fn image(&self) -> Result<Image> {
        self.call("imagearray", self.policy.image, |object, _| picture::image(&object.get("imagearray", Vec::new())?))
    }

    fn limit(&self) -> Duration {
        self.policy.call
    }

    fn is_guarded(&self) -> bool {
        self.policy.guard
    }

    fn is_serial(&self) -> bool {
        true
    }

    fn losses(&self) -> u64 {
        self.way.link.losses()
    }
}
