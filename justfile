# Shortcuts for `just` (https://just.systems); what they call works without it.

# Everything that has to pass.
check:
    ./check

# Chains of all frameworks at work while things go wrong, for an hour.
soak seconds="3600":
    ASTROBACKEND_SOAK={{seconds}} cargo test --locked --workspace --test soak -- --nocapture
