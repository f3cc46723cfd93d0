//! The sections [Startup] and [config]: ranges of the settings, and whether their memory fits into the pod.

use crate::lab::image::Image;
use crate::lab::names::nearest;
use crate::lab::source::Finding;
use crate::lab::types::{Cpf, Iris};
use crate::model::Quantity;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Memory that IRIS takes where nothing is set, in MB.
const LEAST_ROUTINES: u64 = 80;
const LEAST_HEAP: u64 = 300;
const JOURNAL_BUFFERS: u64 = 64;

/// Settings of [Startup].
const STARTUP: &[&str] = &[
    "CallinHalt",
    "CallinStart",
    "CliSysName",
    "DBSizesAllowed",
    "DaysBeforePurge",
    "DefaultPort",
    "DefaultPortBindAddress",
    "EnableVSSBackup",
    "EnsembleAutoStart",
    "ErrorPurge",
    "FIPSMode",
    "IPv6",
    "JobHalt",
    "JobServers",
    "JobStart",
    "LicenseID",
    "MaxConsoleLogSize",
    "MaxIRISTempSizeAtStart",
    "PasswordHash",
    "ProcessHalt",
    "ProcessStart",
    "ShutdownTimeout",
    "SystemHalt",
    "SystemMode",
    "SystemStart",
    "TempDirectory",
    "TerminalPrompt",
    "WebServer",
    "WebServerName",
    "WebServerPort",
    "WebServerProtocol",
    "WebServerSSLName",
    "WebServerURLPrefix",
    "ZSTU",
];
/// Settings of [config].
const CONFIG: &[&str] = &[
    "Asyncwij",
    "LibPath",
    "MaxServerConn",
    "MaxServers",
    "UseNagleAlgorithm",
    "asyncdisconnerr",
    "bbsiz",
    "console",
    "errlog",
    "globals",
    "gmheap",
    "history",
    "ijcbuff",
    "ijcnum",
    "jrnbufs",
    "locksiz",
    "memlock",
    "netjob",
    "nlstab",
    "overview",
    "pijdir",
    "routines",
    "targwijsz",
    "udevtabsiz",
    "vectors",
    "wijdir",
    "zfheap",
];

/// Everything wrong with the two sections.
pub fn check(iris: &Iris, image: Option<&Image>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (section, settings) in [("startup", &iris.cpf.startup), ("config", &iris.cpf.config)] {
        for (key, value) in settings {
            let rule = form(key, value).or_else(|| misspelt(section, key)).or_else(|| match section {
                "startup" => startup(key, value, image),
                _ => config(key, value, &iris.cpf.startup),
            });
            findings.extend(rule.map(|rule| setting(section, key, value, rule)));
        }
    }
    findings.extend(memory(iris));
    findings
}

/// A finding about one setting; its key may hold dots.
fn setting(section: &str, key: &str, value: &str, rule: impl Into<String>) -> Finding {
    let path = ["spec", "iris", "cpf", section, key].map(String::from);
    Finding::new(&path, Some(value), rule)
}

/// What breaks the file's lines.
fn form(key: &str, value: &str) -> Option<String> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.%".contains(&byte)) {
        return Some("a setting's name has letters, digits, _, % and . only".into());
    }
    value.contains(char::is_control).then(|| "must be on one line".into())
}

/// A name that is not known, and close to one that is. The lists are not whole: what is close to nothing is taken as it is.
fn misspelt(section: &str, key: &str) -> Option<String> {
    let known = if section == "startup" { STARTUP } else { CONFIG };
    let near = nearest(key, known).filter(|_| !known.contains(&key))?;
    Some(format!("unknown setting; did you mean {near}?"))
}

fn startup(key: &str, value: &str, image: Option<&Image>) -> Option<String> {
    match key {
        "PasswordHash" => Some("is made by iris-lab; spec.iris.password.file sets a password of your own".into()),
        "SystemMode" if value.chars().count() > 32 => Some("must have at most 32 characters".into()),
        "ShutdownTimeout" => range(value, 120..=100_000, "seconds"),
        "DefaultPort" if value != "1972" => Some("must stay 1972: the Service and the image expect it".into()),
        "WebServer" if !["0", "1"].contains(&value) => Some("must be 0 or 1".into()),
        "WebServer" if value == "1" && image.is_some_and(|image| !image.has_web_server()) => {
            Some("only a Community image has a web server; IRIS would not start".into())
        }
        _ => None,
    }
}

fn config(key: &str, value: &str, startup: &BTreeMap<String, String>) -> Option<String> {
    match key {
        "globals" => globals(value, startup),
        "routines" => match numbers(value).as_deref() {
            Some([0] | [80..=u64::MAX]) => None,
            Some(six) if six.len() == 6 => None,
            _ => Some("must be 0 (automatic), at least 80 (MB), or six whole numbers".into()),
        },
        "gmheap" if value != "0" => range(value, 16_384..=1_073_741_760, "KB, or 0 for automatic"),
        "locksiz" if value != "0" => range(value, 65_536..=i64::MAX, "bytes, or 0 for automatic"),
        "bbsiz" if value != "-1" => range(value, 256..=2_147_483_647, "KB, or -1"),
        "jrnbufs" => range(value, 16..=1024, "MB"),
        "memlock" => match value.parse::<u32>() {
            Ok(flags) if flags & !(1 | 8 | 32 | 64 | 128) == 0 => None,
            _ => Some("must be a sum of 1, 8, 32, 64 and 128".into()),
        },
        _ => None,
    }
}

fn globals(value: &str, startup: &BTreeMap<String, String>) -> Option<String> {
    match numbers(value).as_deref() {
        Some([0, 0, _, large @ ..]) if large.len() == 3 => {
            let needs = large.iter().any(|size| *size > 0) && !startup.contains_key("DBSizesAllowed");
            needs.then(|| "buffers for 16, 32 and 64 KB need DBSizesAllowed in startup".into())
        }
        _ => Some("must be six whole numbers in MB, the first two of them 0, such as 0,0,128,0,0,0".into()),
    }
}

fn numbers(value: &str) -> Option<Vec<u64>> {
    value.split(',').map(|number| number.trim().parse().ok()).collect()
}

fn range(value: &str, range: RangeInclusive<i64>, unit: &str) -> Option<String> {
    let (least, most) = (range.start(), range.end());
    match value.parse::<i64>() {
        Ok(number) if range.contains(&number) => None,
        _ if *most == i64::MAX => Some(format!("must be at least {least} {unit}")),
        _ => Some(format!("must be {least} to {most} {unit}")),
    }
}

/// The memory that IRIS asks for at its start must fit under the pod's limit, or the kernel kills it.
fn memory(iris: &Iris) -> Option<Finding> {
    let text = iris.resources.memory_limit.as_ref()?;
    let limit = Quantity::parse(text).filter(|limit| limit.is_positive())?;
    let sizes = match sizes(&iris.cpf) {
        Ok(sizes) => sizes?,
        Err(value) => {
            let rule =
                "must be set where spec.iris.resources.memoryLimit is: IRIS takes a quarter of the node's memory";
            return Some(setting("config", "globals", value, rule));
        }
    };
    let parts = ["globals", "routines", "gmheap", "jrnbufs"].iter().zip(sizes);
    let parts: Vec<String> = parts.map(|(name, size)| format!("{name} {size}")).collect();
    let sum = sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size));
    let rule = format!("must be more than the {sum}Mi that IRIS takes at its start ({} MB)", parts.join(" + "));
    (limit <= Quantity::mebibytes(sum)).then(|| Finding::at("spec.iris.resources.memoryLimit", text, rule))
}

/// MB of globals, routines, heap and journal buffers; an error if the globals are left to IRIS, none if a setting is not
/// well-formed, which is reported already.
fn sizes(cpf: &Cpf) -> Result<Option<[u64; 4]>, &str> {
    let get = |key: &str| cpf.config.get(key).map(String::as_str);
    let sum = |value: &str| numbers(value).map(|list| list.iter().fold(0, |sum: u64, size| sum.saturating_add(*size)));
    let globals = match get("globals").map(sum) {
        None => return Err(""),
        Some(Some(0)) => return Err(get("globals").unwrap_or_default()),
        Some(globals) => globals,
    };
    let or = |value: Option<u64>, automatic: u64| value.map(|value| if value == 0 { automatic } else { value });
    let routines = or(get("routines").map_or(Some(0), sum), LEAST_ROUTINES);
    let heap = or(get("gmheap").map_or(Some(0), sum), LEAST_HEAP * 1024).map(|kilobytes| kilobytes / 1024);
    let journal = get("jrnbufs").map_or(Some(JOURNAL_BUFFERS), sum);
    let all = || Some([globals?, routines?, heap?, journal?]);
    Ok(all())
}
