//! A movement that was started: busy from the command on, ended when the driver says so, its failure told once.

use super::{
    handle::{Handle, Values},
    order::{Order, Progress},
    store::Device,
};
use crate::Result;
use crate::sync::lock;
use std::sync::{Mutex, MutexGuard};

/// The movement under way of a device, if any, with its goal.
#[derive(Debug)]
pub(super) struct Motion<G>(Mutex<Option<(Order, G)>>);

impl<G> Default for Motion<G> {
    fn default() -> Self {
        Motion(Mutex::new(None))
    }
}

impl<G: Clone> Motion<G> {
    fn lock(&self) -> MutexGuard<'_, Option<(Order, G)>> {
        lock(&self.0)
    }

    /// Sends the command and waits a moment for a refusal.
    ///
    /// # Errors
    /// `Device` with the driver's reason when it refuses.
    pub(super) fn start(
        &self,
        handle: &Handle,
        property: &'static str,
        values: Values<'_>,
        goal: G,
        reached: fn(&Device, &G) -> bool,
    ) -> Result<()> {
        let order = handle.send(property, values)?;
        *self.lock() = Some((order.clone(), goal.clone()));
        handle.touch();
        let objection = handle.objection(&order, |device| reached(device, &goal));
        if objection.is_err() {
            self.forget(handle);
        }
        objection
    }

    /// Looks whether it is still under way; the one who asks first after a failure gets the error.
    ///
    /// # Errors
    /// Why the movement failed.
    pub(super) fn check(&self, handle: &Handle, reached: fn(&Device, &G) -> bool) -> Result<bool> {
        let Some((order, goal)) = self.lock().clone() else { return Ok(false) };
        match handle.progress(&order, |device| reached(device, &goal))? {
            Progress::Unanswered | Progress::Busy | Progress::Alert => Ok(true),
            Progress::Done => {
                self.end(&order);
                Ok(false)
            }
            Progress::Failed(error) => {
                self.end(&order);
                handle.fail(error)
            }
        }
    }

    /// True while it is under way; a failure stays to be told.
    pub(super) fn is_moving(&self, handle: &Handle, reached: fn(&Device, &G) -> bool) -> bool {
        let Some((order, goal)) = self.lock().clone() else { return false };
        let progress = handle.progress(&order, |device| reached(device, &goal));
        matches!(progress, Ok(Progress::Unanswered | Progress::Busy | Progress::Alert))
    }

    /// What it is to reach.
    pub(super) fn goal(&self) -> Option<G> {
        self.lock().as_ref().map(|(_, goal)| goal.clone())
    }

    /// Nothing is under way any more, and nothing failed.
    pub(super) fn forget(&self, handle: &Handle) {
        *self.lock() = None;
        handle.touch();
    }

    /// Ends this movement, not another one that was started meanwhile.
    fn end(&self, order: &Order) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|(known, _)| known.number == order.number) {
            *current = None;
        }
    }
}
