//! What reading records and holding them against rules costs, on generated records: docs/performance.md explains the figures.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::print_stderr, reason = "it says what it is about to do")]
#![expect(clippy::unwrap_used, reason = "it is made of parts that hold, and stops where they don't")]

mod addresses;
mod child;
#[path = "../corpus/mod.rs"]
mod corpus;
mod cost;
mod input;
mod memory;
mod options;
mod peers;
mod picture;
mod processes;
mod race;
mod store;
mod tables;
mod work;

use std::process::ExitCode;

use options::{Bench, Job, Options, USAGE};

fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)) {
        Ok(Job::Help) => println!("{USAGE}"),
        Ok(Job::Measure(options)) => measure(&options),
        Ok(Job::Count { rules, records, end_to_end }) => work::count(rules, records, end_to_end),
        Ok(Job::Read(folder)) => work::read_folder(&folder),
        Ok(Job::Addresses(folder)) => addresses::measure(&folder),
        Ok(Job::Write { kind, size, folder }) => drop(store::write(kind, size, &folder)),
        Ok(Job::WriteRules { rules, folder }) => store::write_rules(&input::texts(rules), &folder),
        Err(what) => {
            eprintln!("{what}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn measure(options: &Options) {
    for bench in &options.benches {
        match bench {
            Bench::Reading => tables::reading(options),
            Bench::Match => tables::matching(options),
            Bench::Contains => tables::contains(options),
            Bench::Compile => tables::compiling(options),
            Bench::Process => processes::compare(options),
            Bench::Memory => memory::compare(),
            Bench::Cost => cost::table(),
            Bench::Peers => peers::compare(options),
        }
    }
}
