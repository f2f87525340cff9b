//! Lists the shipped rules, so that they are compiled into the binary and a cold start reads no file; and their tests, whose records
//! the command line shows alerts of.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("rules"), &mut files);
    files.sort();
    let (tests, files): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| file.to_string_lossy().ends_with(".test.yml"));
    let (own, core): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| file.starts_with(root.join("rules/trailhound")));
    write(&root, &core, "rules.rs");
    write(&root, &own, "own_rules.rs");
    write(&root, &tests, "rule_tests.rs");
}

/// Writes a list of names and texts, as Rust.
fn write(root: &Path, files: &[PathBuf], to: &str) {
    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name =
            file.strip_prefix(root).expect("below the root").to_str().expect("rule paths are UTF-8").replace('\\', "/");
        writeln!(code, "    ({name:?}, include_str!({:?})),", file.display().to_string()).expect("writing to a string");
    }
    code.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join(to), code).expect("the build directory is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("rules/ is part of the source") {
        let path = entry.expect("rules/ is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".yml") {
            files.push(path);
        }
    }
}
