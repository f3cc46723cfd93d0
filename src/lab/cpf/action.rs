//! The section [Actions]: names, required properties, databases and their directories.

use crate::lab::image::{Edition, Image};
use crate::lab::names::nearest;
use crate::lab::source::Finding;

/// Directories that outlive a pod: the mount points of the two volumes.
const VOLUMES: [&str; 2] = ["/vol-data/", "/iris-mgr/"];
/// Databases that every instance has.
const PREDEFINED: &[&str] =
    &["IRISSYS", "IRISLIB", "IRISTEMP", "IRISLOCALDATA", "IRISAUDIT", "IRISMETRICS", "IRISSECURITY", "ENSLIB", "USER"];
/// Beginnings of published hashes of the factory password.
const FACTORY: [&str; 4] = ["fbfe8593aefa510c", "d8191b3c433ed48c", "34e80d2f1ad51356", "a31d24aecc0bfe56"];
/// Most data of a Community Edition, in MB.
const MOST_DATA: u64 = 10 * 1024;
/// What can be created, modified and deleted.
const THINGS: &[&str] = &[
    "Application",
    "ComPort",
    "Database",
    "DatabaseFile",
    "Device",
    "DeviceSubType",
    "DocDB",
    "ECPServer",
    "Event",
    "LDAPConfig",
    "LicenseServer",
    "MagTape",
    "MapGlobal",
    "MapPackage",
    "MapRoutine",
    "Mirror",
    "Namespace",
    "OAuth2Client",
    "OAuth2Resource",
    "OAuth2Server",
    "OAuth2ServerClient",
    "OAuth2ServerDefinition",
    "Resource",
    "Role",
    "Server",
    "SSLConfig",
    "SqlSysDatatype",
    "SqlUserDatatype",
    "User",
    "WalletCollection",
    "WalletKeyValue",
    "WalletRSA",
    "WalletSymmetricKey",
    "WebAppPctAccess",
    "WorkQueue",
];
/// All other actions.
const OTHERS: &[&str] = &[
    "ConfigMirror",
    "ConfigProduction",
    "ConfigShardedCluster",
    "DiscoverOAuth2Server",
    "Execute",
    "GrantAdminPrivilege",
    "GrantPrivilege",
    "ImportLocale",
    "InstallLocale",
    "ModifyConfig",
    "ModifyECP",
    "ModifyJournal",
    "ModifyLogging",
    "ModifyMirrorMember",
    "ModifyMiscellaneous",
    "ModifyMonitor",
    "ModifySQL",
    "ModifyService",
    "ModifyStartup",
    "ModifySystem",
    "RevokeAdminPrivilege",
    "RevokePrivilege",
];

/// One action, taken apart.
struct Action<'a> {
    name: &'a str,
    properties: Vec<(&'a str, &'a str)>,
}

impl<'a> Action<'a> {
    /// A property; IRIS does not care for upper and lower case here.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.properties.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Names of the things of one kind that actions create.
pub fn created<'a>(lines: &'a [String], thing: &str) -> Vec<&'a str> {
    let named = |line: &'a String| parse(line).ok().filter(|action| action.name == format!("Create{thing}"));
    lines.iter().filter_map(named).filter_map(|action| action.get("Name")).collect()
}

/// Everything wrong with the actions.
pub fn check(lines: &[String], image: Option<&Image>) -> Vec<Finding> {
    let path = |index: usize| format!("spec.iris.cpf.actions.{index}");
    let mut findings = Vec::new();
    let mut actions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match parse(line) {
            Ok(action) => actions.push((index, action)),
            Err(rule) => findings.push(Finding::at(&path(index), line, rule)),
        }
    }
    for (position, (index, action)) in actions.iter().enumerate() {
        let earlier = &actions[..position];
        let all: Vec<&Action> = actions.iter().map(|(_, action)| action).collect();
        let rules = [
            required(action),
            names(action),
            twice(action, earlier),
            directory(action, earlier),
            database(action, &all, image),
            resource(action, &all, image),
            edition(action, image),
            hash(action),
        ];
        findings.extend(rules.into_iter().flatten().map(|rule| Finding::at(&path(*index), &lines[*index], rule)));
    }
    let community = image.is_some_and(|image| image.edition == Edition::Community);
    findings.extend(
        size(&actions).filter(|_| community).map(|(index, rule)| Finding::at(&path(index), &lines[index], rule)),
    );
    if !lines.is_empty() && image.is_some_and(|image| !image.takes_actions()) {
        let rule = "must be empty ([]): images before 2021.1 know no actions in a merge file";
        findings.push(Finding::new(&["spec", "iris", "cpf", "actions"].map(String::from), None, rule));
    }
    findings
}

fn parse(line: &str) -> Result<Action<'_>, String> {
    if line.contains(char::is_control) {
        return Err("must be on one line".into());
    }
    let Some((name, rest)) = line.split_once(':') else {
        return Err(
            "must be an action, a colon and its properties, such as CreateDatabase:Name=X,Directory=/vol-data/X".into(),
        );
    };
    let made = ["Create", "Modify", "Delete"].iter().find_map(|verb| name.strip_prefix(verb));
    if !OTHERS.contains(&name) && !made.is_some_and(|thing| THINGS.contains(&thing)) {
        let verbs = ["Create", "Modify", "Delete"].iter();
        let all: Vec<String> =
            verbs.flat_map(|verb| THINGS.iter().map(move |thing| format!("{verb}{thing}"))).collect();
        let known: Vec<&str> = all.iter().map(String::as_str).chain(OTHERS.iter().copied()).collect();
        let near = nearest(name, &known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(format!("unknown action {name}{near}"));
    }
    let mut properties = Vec::new();
    for property in split(rest)? {
        let Some((key, value)) = property.split_once('=') else {
            return Err(format!(
                "{} is no property: it must be Name=value, and a value with a comma needs quotes",
                property.trim()
            ));
        };
        let (key, value) = (key.trim(), value.trim());
        if value.contains('=') && !value.starts_with('"') {
            return Err(format!("the value of {key} holds a =, and needs quotes"));
        }
        properties.push((key, value.trim_matches('"')));
    }
    Ok(Action { name, properties })
}

/// The parts between the commas that stand outside of quotes.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let parts = parts.collect();
    if text.matches('"').count() % 2 == 1 { Err("a quote is not closed".into()) } else { Ok(parts) }
}

fn required(action: &Action) -> Option<String> {
    let names: &[&str] = match action.name {
        "CreateDatabase" => &["Name", "Directory"],
        "CreateNamespace" => &["Name", "Globals"],
        "CreateUser" | "ModifyUser" | "DeleteUser" | "ModifyNamespace" | "DeleteNamespace" | "ModifyDatabase"
        | "DeleteDatabase" | "CreateResource" | "CreateRole" | "ModifyService" => &["Name"],
        "Execute" if action.get("RoutineName").is_none() => &["ClassName", "MethodName"],
        _ => &[],
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| action.get(name).is_none_or(str::is_empty)).collect();
    if !missing.is_empty() {
        return Some(format!("{} needs {}", action.name, missing.join(" and ")));
    }
    let word = |key: &str| {
        let key = key.to_lowercase();
        (key.ends_with("password") && key != "changepassword") || key == "clientsecret"
    };
    match action.properties.iter().find(|(key, value)| word(key) && !value.is_empty()) {
        Some(("Password", _)) if action.name.ends_with("User") => {
            Some("there is no property Password: use PasswordHash, in quotes".into())
        }
        Some((key, _)) => Some(format!("{key} would stand readable in the cluster: set it in IRIS itself")),
        None => None,
    }
}

/// The hash of an account: its fields, their lengths, and that it is not one that everybody knows.
fn hash(action: &Action) -> Option<String> {
    let hash = action.get("PasswordHash").filter(|_| action.name.ends_with("User"))?;
    let fields: Vec<&str> = hash.split(',').map(str::trim).collect();
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fits = match fields.as_slice() {
        [hash, salt] => digits(hash, 40) && !salt.is_empty(),
        [hash, salt, rounds, algorithm] => {
            let length = match *algorithm {
                "SHA1" => 40,
                "SHA256" => 64,
                "SHA384" => 96,
                "SHA512" => 128,
                _ => return Some("the algorithm of PasswordHash is one of SHA1, SHA256, SHA384, SHA512".into()),
            };
            digits(hash, length) && digits(salt, salt.len()) && rounds.parse::<u32>().is_ok_and(|rounds| rounds > 0)
        }
        _ => false,
    };
    let factory = FACTORY.iter().any(|known| fields[0].to_lowercase().starts_with(known));
    match (fits, factory) {
        (false, _) => Some(
            "PasswordHash must be \"HASH,SALT,ROUNDS,ALGORITHM\", or \"HASH,SALT\" of old, in hexadecimal digits"
                .into(),
        ),
        (true, true) => Some("PasswordHash is that of the factory password SYS, which everybody knows".into()),
        (true, false) => None,
    }
}

fn names(action: &Action) -> Option<String> {
    let name = action.get("Name")?;
    let first = |allowed: char| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == allowed);
    let rest = |allowed: &str| name.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || allowed.contains(c));
    let length = (1..=64).contains(&name.len());
    match action.name {
        "CreateDatabase" if !(length && first('_') && rest("-_")) => {
            Some("a database's name has 1 to 64 letters, digits, - and _, and begins with a letter or _".into())
        }
        "CreateNamespace" if !(length && first('%') && rest("-_")) => {
            Some("a namespace's name has 1 to 64 letters, digits, - and _, and begins with a letter or %".into())
        }
        _ => None,
    }
}

fn twice(action: &Action, earlier: &[(usize, Action)]) -> Option<String> {
    let name = action.get("Name").filter(|_| action.name.starts_with("Create"))?;
    let same =
        |other: &Action| other.name == action.name && other.get("Name").is_some_and(|n| n.eq_ignore_ascii_case(name));
    let whole = ["Database", "Namespace", "User", "Resource", "Role"].contains(&&action.name["Create".len()..]);
    let (index, _) = earlier.iter().find(|(_, other)| whole && same(other))?;
    Some(format!("{name} is created by action {index} already"))
}

fn directory(action: &Action, earlier: &[(usize, Action)]) -> Option<String> {
    let directory = action.get("Directory").filter(|_| action.name == "CreateDatabase")?;
    let under = VOLUMES.iter().any(|volume| directory.strip_prefix(volume).is_some_and(|rest| !rest.is_empty()));
    let plain = directory.split('/').skip(1).all(|part| part != "." && part != "..");
    if !under || !plain {
        return Some(
            "Directory must be an absolute path under /vol-data or /iris-mgr: all else is lost with the pod".into(),
        );
    }
    let directory = directory.trim_end_matches('/');
    let same = |other: &Action| {
        other.name == action.name && other.get("Directory").is_some_and(|path| path.trim_end_matches('/') == directory)
    };
    let (index, _) = earlier.iter().find(|(_, other)| same(other))?;
    Some(format!("the database of action {index} has the same Directory"))
}

/// A namespace refers to databases that the image has or that another action creates.
fn database(action: &Action, all: &[&Action], image: Option<&Image>) -> Option<String> {
    // Somebody's own image may hold any database.
    if !["CreateNamespace", "ModifyNamespace"].contains(&action.name)
        || image.is_none_or(|image| image.edition == Edition::Own)
    {
        return None;
    }
    let created: Vec<&str> =
        all.iter().filter(|other| other.name == "CreateDatabase").filter_map(|other| other.get("Name")).collect();
    let known: Vec<&str> = created.into_iter().chain(PREDEFINED.iter().copied()).collect();
    let (property, value) = ["Globals", "Routines", "TempGlobals"]
        .iter()
        .filter_map(|property| Some((property, action.get(property)?)))
        .find(|(_, value)| !known.iter().any(|name| name.eq_ignore_ascii_case(value)))?;
    let near = nearest(value, &known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Some(format!("{property} names the database {value}, which no action creates{near}"))
}

/// A database belongs to a resource that every instance has or that another action creates.
fn resource(action: &Action, all: &[&Action], image: Option<&Image>) -> Option<String> {
    // Somebody's own image may have any resource.
    let own = image.is_none_or(|image| image.edition == Edition::Own);
    let name = action.get("ResourceName").filter(|_| action.name == "CreateDatabase" && !own)?;
    let predefined = name == "%DB_%DEFAULT" || name.strip_prefix("%DB_").is_some_and(|name| PREDEFINED.contains(&name));
    let mut created = all.iter().filter(|other| other.name == "CreateResource").filter_map(|other| other.get("Name"));
    let known = predefined || name.is_empty() || created.any(|other| other.eq_ignore_ascii_case(name));
    (!known).then(|| format!("ResourceName names {name}, which no CreateResource makes"))
}

/// The databases together must fit into what the Community Edition takes.
fn size(actions: &[(usize, Action)]) -> Option<(usize, String)> {
    let sizes = actions.iter().filter(|(_, action)| action.name == "CreateDatabase");
    let mut sum: u64 = 0;
    for (index, action) in sizes {
        sum = sum.saturating_add(action.get("Size").and_then(|size| size.parse().ok()).unwrap_or(0));
        if sum > MOST_DATA {
            return Some((
                *index,
                format!("the sizes come to {sum} MB, and Community Edition takes {MOST_DATA} MB of data"),
            ));
        }
    }
    None
}

fn edition(action: &Action, image: Option<&Image>) -> Option<String> {
    let needs = ["Mirror", "ECP", "ShardedCluster"].iter().any(|word| action.name.contains(word));
    let community = image.is_some_and(|image| image.edition == Edition::Community);
    (needs && community).then(|| "Community Edition has no mirroring, no ECP and no sharding".into())
}
