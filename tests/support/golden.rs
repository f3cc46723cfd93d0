//! Compares output with the files in `tests/golden`. With UPDATE_GOLDEN=1 the files are written anew instead.

use std::path::Path;

/// Fails the test unless the text is what `tests/golden/NAME.txt` holds.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    if text == wanted {
        return;
    }
    let line = text.lines().zip(wanted.lines()).take_while(|(is, was)| is == was).count();
    let (is, was) = (text.lines().nth(line).unwrap_or("<end>"), wanted.lines().nth(line).unwrap_or("<end>"));
    panic!(
        "tests/golden/{name}.txt differs from line {}\n  expected: {was}\n  now:      {is}\nall of it:\n{text}\n\
         if that is right, run the tests with UPDATE_GOLDEN=1",
        line + 1
    );
}
