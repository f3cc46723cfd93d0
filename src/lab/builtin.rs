//! The lab files that are part of the program. A new one is a file in `labs/` and a line here.

/// A lab file that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// The file's text.
    pub text: &'static str,
}

const BUILTIN: &[Builtin] = &[
    Builtin {
        name: "two-pod",
        description: "two independent IRIS pods, each with two volumes",
        text: include_str!("../../labs/two-pod.yaml"),
    },
    Builtin {
        name: "simple",
        description: "a small REST application, in an image that is built from its sources",
        text: include_str!("../../labs/simple.yaml"),
    },
];

/// All built-in labs; the first one is the default.
pub fn builtin() -> &'static [Builtin] {
    BUILTIN
}
