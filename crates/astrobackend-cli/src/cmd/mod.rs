//! The verbs, one file each: their arguments, what they do, and what they print.

pub(crate) mod backends;
pub(crate) mod completions;
pub(crate) mod cool;
pub(crate) mod devices;
pub(crate) mod discover;
pub(crate) mod expose;
pub(crate) mod filter;
pub(crate) mod focus;
pub(crate) mod info;
pub(crate) mod park;
pub(crate) mod preview;
pub(crate) mod props;
pub(crate) mod rig;
pub(crate) mod serve;
mod serve_indi;
mod serve_rpc;
pub(crate) mod sim;
pub(crate) mod slew;
pub(crate) mod stop;
pub(crate) mod sync;
pub(crate) mod track;
pub(crate) mod watch;

use crate::{args::Verb, context::Context, exit};
use astrobackend::Result;

/// Does what the verb says; the exit code.
pub(crate) fn run(verb: Verb, ctx: &Context) -> Result<u8> {
    let done = match verb {
        Verb::Backends => backends::run(ctx),
        Verb::Discover(args) => discover::run(ctx, &args),
        Verb::Devices => devices::run(ctx),
        Verb::Info(args) => info::run(ctx, &args),
        Verb::Expose(args) => return expose::run(ctx, &args),
        Verb::Preview(args) => preview::run(ctx, &args),
        Verb::Filter(args) => filter::run(ctx, &args),
        Verb::Focus(args) => focus::run(ctx, &args),
        Verb::Slew(args) => slew::run(ctx, &args),
        Verb::Sync(args) => sync::run(ctx, &args),
        Verb::Park => park::park(ctx),
        Verb::Unpark => park::unpark(ctx),
        Verb::Track(args) => track::run(ctx, &args),
        Verb::Stop => stop::run(ctx),
        Verb::Cool(args) => cool::run(ctx, &args),
        Verb::Watch(args) => watch::run(ctx, &args),
        Verb::Props(verb) => props::run(ctx, &verb),
        Verb::Rig(verb) => rig::run(ctx, &verb),
        Verb::Serve(verb) => serve::run(ctx, &verb),
        Verb::Sim(verb) => sim::run(ctx, &verb),
        Verb::Completions(args) => completions::run(&args),
    };
    done.map(|()| exit::DONE)
}
