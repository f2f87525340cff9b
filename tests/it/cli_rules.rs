//! `trailhound rules` and its subcommands, as a user runs them.
