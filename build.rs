//! Parses the shipped rules, so that they are compiled into the binary and a cold start reads no file and no YAML. A rule that doesn't
//! load is an error of the build. Their tests go along for the command line, which shows alerts of their records.

#![expect(dead_code, reason = "the modules are those of the program, which uses all of them")]
#![allow(unused_imports, unreachable_pub, missing_docs, unfulfilled_lint_expectations, reason = "the same")]

#[path = "src/sigma/mod.rs"]
mod sigma;
#[path = "src/yaml/mod.rs"]
mod yaml;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sigma::Collection;
use yaml::{SourceFile, Text};

fn main() {
    println!("cargo:rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("rules"), &mut files);
    files.sort();
    let (tests, files): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| file.to_string_lossy().ends_with(".test.yml"));
    let below = |folder: &str| {
        let folder = root.join("rules").join(folder);
        move |file: &PathBuf| file.starts_with(&folder)
    };
    let (own, files): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(below("trailhound"));
    let (filters, rules): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(below("shared"));
    let built_in = |name: &str, path: &Path| {
        let (packs, parsed) = parsed(name, path, &out);
        let (path, parsed) = (path.display().to_string(), parsed.display().to_string());
        format!(
            "BuiltIn {{ name: {name:?}, text: include_str!({path:?}), parsed: include_bytes!({parsed:?}), packs: &{packs:?} }}"
        )
    };
    write(&root, &out, &rules, "rules.rs", built_in);
    write(&root, &out, &own, "own_rules.rs", built_in);
    write(&root, &out, &filters, "shared_filters.rs", built_in);
    write(&root, &out, &tests, "rule_tests.rs", |name, path| {
        format!("({name:?}, include_str!({:?}))", path.display().to_string())
    });
}

/// The packs that the documents of a file name, and the file that holds what they say.
fn parsed(name: &str, path: &Path, out: &Path) -> (Vec<Text>, PathBuf) {
    let text = fs::read_to_string(path).expect("rules/ is readable");
    let documents = sigma::parse(&SourceFile::new(name, text));
    let bytes = documents.to_bytes().unwrap_or_else(|| {
        let wrong = documents.rejected.iter().chain(&documents.retired).chain(&documents.doubtful);
        panic!("{name} does not load:\n{}", wrong.map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let parsed = out.join(format!("{}.parsed", name.replace('/', "_")));
    fs::write(&parsed, bytes).expect("the build directory is writable");
    (packs(documents), parsed)
}

fn packs(documents: Collection) -> Vec<Text> {
    let rules = documents.rules.into_iter().map(|rule| rule.extension);
    let extensions = rules.chain(documents.correlations.into_iter().map(|rule| rule.extension));
    let mut packs: Vec<Text> = extensions.flat_map(|extension| extension.packs).collect();
    packs.sort_unstable();
    packs.dedup();
    packs
}

/// Writes a list, as Rust.
fn write(root: &Path, out: &Path, files: &[PathBuf], to: &str, entry: impl Fn(&str, &Path) -> String) {
    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name =
            file.strip_prefix(root).expect("below the root").to_str().expect("rule paths are UTF-8").replace('\\', "/");
        writeln!(code, "    {},", entry(&name, file)).expect("writing to a string");
    }
    code.push(']');
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
