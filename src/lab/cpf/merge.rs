//! A raw merge file, read into the sections that a lab has, each entry with its line.

use crate::lab::names::nearest;

/// The sections of a merge file, and the field of the lab that each becomes.
const SECTIONS: [(&str, &str); 3] = [("Startup", "startup"), ("config", "config"), ("Actions", "actions")];

/// One entry of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The field of the lab: `startup`, `config` or `actions`.
    pub field: &'static str,
    /// The setting; none for an action.
    pub key: Option<String>,
    /// The value, or the whole action.
    pub value: String,
    /// The line, from 1.
    pub line: usize,
}

/// The entries of a file, and what of it cannot be read: a line and the rule that it breaks.
pub fn read(text: &str) -> (Vec<Entry>, Vec<(usize, String)>) {
    let (mut entries, mut wrong): (Vec<Entry>, _) = (Vec::new(), Vec::new());
    // The section that the next lines belong to; none before the first one, and in one that a lab does not have.
    let (mut section, mut begun, mut comment) = (None, false, false);
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (line, number) = (line.trim(), index + 1);
        if comment || line.starts_with("/*") {
            comment = !line.ends_with("*/");
        } else if line.is_empty() || [";", "#", "//"].iter().any(|sign| line.starts_with(sign)) {
        } else if let Some(name) = line.strip_prefix('[') {
            let known = name.strip_suffix(']').map(|name| (name, SECTIONS.iter().find(|(known, _)| *known == name)));
            section = known.and_then(|(_, found)| found.map(|(_, field)| *field));
            begun = true;
            match known {
                None => wrong.push((number, "a section's name ends with ]".into())),
                Some((name, None)) => wrong.push((number, unknown(name))),
                Some(_) => {}
            }
        } else if let Some(field) = section {
            match entry(field, line, number, &entries) {
                Ok(entry) => entries.push(entry),
                Err(rule) => wrong.push((number, rule)),
            }
        } else if !begun {
            wrong.push((number, "stands before the first section, such as [Actions]".into()));
        }
    }
    (entries, wrong)
}

fn entry(field: &'static str, line: &str, number: usize, before: &[Entry]) -> Result<Entry, String> {
    if field == "actions" {
        return Ok(Entry { field, key: None, value: line.into(), line: number });
    }
    let Some((key, value)) = line.split_once('=') else {
        return Err(format!("{line} is no setting: it must be name=value"));
    };
    let (key, value) = (key.trim(), value.trim());
    if let Some(first) = before.iter().find(|entry| entry.field == field && entry.key.as_deref() == Some(key)) {
        return Err(format!("{key} is given twice, first on line {}", first.line));
    }
    let value = if value == "\"\"" { "" } else { value };
    Ok(Entry { field, key: Some(key.into()), value: value.into(), line: number })
}

fn unknown(name: &str) -> String {
    let known = SECTIONS.map(|(name, _)| name);
    match nearest(name, &known) {
        Some(near) => format!("there is no section [{name}]; did you mean [{near}]?"),
        None => format!(
            "a lab merges the sections [Startup], [config] and [Actions]; for [{name}] there may be an action, such as ModifyJournal"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_file_is_read_with_its_lines() {
        let text = "# a lab\r\n[Startup]\r\n  SystemMode = TEST\n/* not\n[config] */\n; no\n\n[config]\nglobals=0,0,64,0,0,0\nwijdir=\"\"\n\
                    [Actions]\nCreateUser:Name=a,Roles=\"x,y\"\n[Startup]\nShutdownTimeout=300\n";
        let (entries, wrong) = read(text);
        let all: Vec<_> =
            entries.iter().map(|one| (one.line, one.field, one.key.as_deref(), one.value.as_str())).collect();
        assert_eq!(
            all,
            [
                (3, "startup", Some("SystemMode"), "TEST"),
                (9, "config", Some("globals"), "0,0,64,0,0,0"),
                (10, "config", Some("wijdir"), ""),
                (12, "actions", None, "CreateUser:Name=a,Roles=\"x,y\""),
                (14, "startup", Some("ShutdownTimeout"), "300"),
            ]
        );
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let (_, wrong) = read("a=1\n[Action]\nx\n[Journal]\nx=1\n[config\n[config]\nroutines\njrnbufs=1\njrnbufs=2\n");
        let lines: Vec<String> = wrong.into_iter().map(|(line, rule)| format!("{line} {rule}")).collect();
        assert_eq!(
            lines,
            [
                "1 stands before the first section, such as [Actions]",
                "2 there is no section [Action]; did you mean [Actions]?",
                "4 a lab merges the sections [Startup], [config] and [Actions]; for [Journal] there may be an action, such as ModifyJournal",
                "6 a section's name ends with ]",
                "8 routines is no setting: it must be name=value",
                "10 jrnbufs is given twice, first on line 9",
            ]
        );
    }
}
