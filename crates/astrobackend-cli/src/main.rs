//! The `astrobackend` command.

fn main() {}
