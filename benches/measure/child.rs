//! Runs programs and reads what they used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::store;

/// A program with its arguments.
#[derive(Debug, Clone)]
pub(super) struct Program {
    words: Vec<String>,
    /// Exit codes that mean that it did its work.
    good: &'static [i32],
}

/// The least of some runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Seconds of user and system time, its children's included.
    pub(super) cpu: f64,
    pub(super) peak_kb: u64,
}

impl Usage {
    pub(super) const NONE: Self = Self { cpu: f64::MAX, peak_kb: u64::MAX };

    pub(super) fn least(self, other: Self) -> Self {
        Self { cpu: self.cpu.min(other.cpu), peak_kb: self.peak_kb.min(other.peak_kb) }
    }
}

impl Program {
    pub(super) fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), good: &[0] }
    }

    /// The command line, on one thread. It exits with 1 when it found something.
    pub(super) fn scan(rules: Option<&Path>, folder: &Path) -> Self {
        let mut words = vec![env!("CARGO_BIN_EXE_trailhound"), "scan", "--threads", "1", "--format", "jsonl"];
        if let Some(rules) = rules {
            words.extend(["--rules", text(rules)]);
        }
        words.push(text(folder));
        Self::new(words).that_ends_with(&[0, 1])
    }

    /// A pipeline of the shell. `$1` and so on are the arguments.
    pub(super) fn shell<'a>(script: &'a str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(["sh", "-c", script, "sh"].into_iter().chain(arguments))
    }

    /// With other exit codes that mean that it did its work.
    pub(super) fn that_ends_with(self, good: &'static [i32]) -> Self {
        Self { good, ..self }
    }

    /// What it prints.
    ///
    /// # Errors
    /// When it doesn't start, or fails.
    pub(super) fn output(&self) -> Result<String, String> {
        let output = Command::new(&self.words[0]).args(&self.words[1..]).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", self.words[0]))?;
        self.check(output.status.code()).map_err(|what| what + &String::from_utf8_lossy(&output.stderr))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it once, its output thrown away.
    ///
    /// # Errors
    /// When it doesn't start, or fails.
    pub(super) fn used(&self) -> Result<Usage, String> {
        let to = store::place().join("used");
        let mut command = Command::new(helper());
        command.arg(&to).args(&self.words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.check(command.status().unwrap().code())?;
        let written = fs::read_to_string(to).unwrap();
        let numbers: Vec<u32> = written.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [user, system, peak_kb] = numbers[..] else { panic!("{written}") };
        Ok(Usage { cpu: (f64::from(user) + f64::from(system)) / 1e6, peak_kb: peak_kb.into() })
    }

    fn check(&self, code: Option<i32>) -> Result<(), String> {
        let good = code.is_some_and(|code| self.good.contains(&code));
        if good { Ok(()) } else { Err(format!("`{}` ended with {code:?}. ", self.words[0])) }
    }
}

/// The least that each used in some rounds in which they take turns.
///
/// # Panics
/// When one of them fails.
pub(super) fn race<const N: usize>(rounds: usize, programs: &[Program; N]) -> [Usage; N] {
    let mut used = [Usage::NONE; N];
    for _ in 0..rounds {
        for (program, least) in programs.iter().zip(&mut used) {
            *least = least.least(program.used().unwrap());
        }
    }
    used
}

/// `benches/usage.c`, compiled.
fn helper() -> &'static Path {
    static HELPER: OnceLock<PathBuf> = OnceLock::new();
    HELPER.get_or_init(|| {
        let helper = store::place().join("usage");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/usage.c");
        let status = Command::new("cc").args(["-O1", "-o"]).arg(&helper).arg(source).status();
        assert!(status.is_ok_and(|status| status.success()), "a C compiler, `cc`, has to compile {source}");
        helper
    })
}

pub(super) fn text(path: &Path) -> &str {
    // OK because the target directory's name would have to be broken.
    path.to_str().unwrap()
}
