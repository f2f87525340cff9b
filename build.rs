//! Lists the shipped rules, so that they are compiled into the binary and a cold start reads no file; and their tests, whose records
//! the command line shows alerts of.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The one line that says which packs a rule belongs to, behind two spaces: it stands right below `trailhound:`.
const PACKS: &str = "  packs: [";

fn main() {
    println!("cargo:rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("rules"), &mut files);
    files.sort();
    let below = |folder: &str| {
        let folder = root.join("rules").join(folder);
        move |file: &PathBuf| file.starts_with(&folder)
    };
    let (tests, files): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| file.to_string_lossy().ends_with(".test.yml"));
    let (own, files): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(below("trailhound"));
    let (filters, rules): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(below("shared"));
    let built_in = |(name, path): (String, &Path)| {
        let text = fs::read_to_string(path).expect("rules/ is readable");
        let packs = packs(&text);
        format!("BuiltIn {{ name: {name:?}, text: include_str!({:?}), packs: &{packs:?} }}", path.display().to_string())
    };
    write(&root, &rules, "rules.rs", built_in);
    write(&root, &own, "own_rules.rs", built_in);
    write(&root, &filters, "shared_filters.rs", built_in);
    write(&root, &tests, "rule_tests.rs", |(name, path)| {
        format!("({name:?}, include_str!({:?}))", path.display().to_string())
    });
}

/// Every pack that a document of the file names.
fn packs(text: &str) -> Vec<&str> {
    let lists = text.lines().filter_map(|line| line.strip_prefix(PACKS)?.strip_suffix(']'));
    let mut packs: Vec<&str> = lists.flat_map(|list| list.split(',').map(str::trim)).collect();
    packs.sort_unstable();
    packs.dedup();
    packs
}

/// Writes a list of names and texts, as Rust.
fn write(root: &Path, files: &[PathBuf], to: &str, entry: impl Fn((String, &Path)) -> String) {
    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name =
            file.strip_prefix(root).expect("below the root").to_str().expect("rule paths are UTF-8").replace('\\', "/");
        writeln!(code, "    {},", entry((name, file))).expect("writing to a string");
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
