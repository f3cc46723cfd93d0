//! What `kubectl get` prints: the columns of every kind, and the cells of every object.

mod apps;
mod core;
mod custom;
mod other;
mod pods;
mod storage;

use crate::sim::kinds::Kind;
use serde_json::{Value, json};

/// Name and priority (0 is always shown, 1 only with `-o wide`) of a column.
type Column = (&'static str, u8);
/// The columns of a kind and the cells of one object.
type Table = (&'static [Column], fn(&Value) -> Vec<Value>);

/// Column definitions, and the cells of each object.
pub fn render(kind: &Kind, version: &str, objects: &[Value]) -> (Value, Vec<Vec<Value>>) {
    if kind.custom {
        return custom::render(kind, version, objects);
    }
    let (columns, cells) = table(kind);
    let definitions = columns.iter().enumerate().map(|(index, (name, priority))| {
        let format = if index == 0 && *name == "Name" { "name" } else { "" };
        definition(name, "string", format, i64::from(*priority))
    });
    (definitions.collect(), objects.iter().map(cells).collect())
}

fn table(kind: &Kind) -> Table {
    let (group, plural) = (kind.group.as_str(), kind.plural.as_str());
    let found = pods::table(group, plural).or_else(|| core::table(group, plural));
    let found = found.or_else(|| apps::table(group, plural)).or_else(|| storage::table(group, plural));
    found
        .or_else(|| other::table(group, plural))
        .unwrap_or((&[("Name", 0), ("Age", 0)], |object| vec![name(object), age(object)]))
}

fn definition(name: &str, kind: &str, format: &str, priority: i64) -> Value {
    json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
}

fn name(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

/// Time since the creation.
fn age(object: &Value) -> Value {
    json!(since(object["metadata"]["creationTimestamp"].as_str()))
}

/// Time since a moment, as kubectl prints it.
fn since(time: Option<&str>) -> String {
    let Some(moment) = time.and_then(|time| time.parse::<jiff::Timestamp>().ok()) else { return "<unknown>".into() };
    duration((jiff::Timestamp::now().as_second() - moment.as_second()).max(0))
}

/// `90s`, `5m3s`, `3h4m`, `2d`: two units while they tell something.
fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// The value at a path, as text; something else when there is none.
fn or(object: &Value, path: &str, otherwise: &str) -> Value {
    match object.pointer(path) {
        Some(Value::String(text)) if !text.is_empty() => json!(text),
        Some(Value::Null | Value::String(_)) | None => json!(otherwise),
        Some(other) => json!(other.to_string()),
    }
}

/// The number at a path, or zero.
fn count(object: &Value, path: &str) -> i64 {
    object.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

/// How many elements or fields are at a path.
fn len(object: &Value, path: &str) -> usize {
    match object.pointer(path) {
        Some(Value::Array(list)) => list.len(),
        Some(Value::Object(map)) => map.len(),
        _ => 0,
    }
}

/// The elements at a path.
fn items<'a>(object: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

/// Texts with commas between them; something else when there are none.
fn join(texts: impl Iterator<Item = String>, otherwise: &str) -> Value {
    let texts: Vec<String> = texts.collect();
    json!(if texts.is_empty() { otherwise.to_owned() } else { texts.join(",") })
}

/// Texts at a path, with commas between them.
fn texts(object: &Value, path: &str, otherwise: &str) -> Value {
    join(items(object, path).filter_map(Value::as_str).map(str::to_owned), otherwise)
}

/// `a=b,c=d` of a label selector or of a map of labels.
fn selector(value: Option<&Value>) -> Value {
    let labels = value.map(|value| value.get("matchLabels").unwrap_or(value));
    let pairs = labels.and_then(Value::as_object).into_iter().flatten();
    join(pairs.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))), "<none>")
}

/// Names and images of the containers in a pod template.
fn containers(object: &Value) -> [Value; 2] {
    let each = |field: &'static str| {
        items(object, "/spec/template/spec/containers").filter_map(move |one| one[field].as_str().map(str::to_owned))
    };
    [join(each("name"), "<none>"), join(each("image"), "<none>")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_kubectl() {
        let expected = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (700, "11m"),
            (7300, "121m"),
            (10_860, "3h1m"),
            (90_000, "25h"),
            (180_000, "2d2h"),
            (864_000, "10d"),
        ];
        for (seconds, text) in expected {
            assert_eq!(duration(seconds), text);
        }
    }
}
