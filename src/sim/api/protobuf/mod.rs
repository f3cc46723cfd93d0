//! Bodies in the binary format that kubectl's typed clients send. Answers are always JSON, which those clients accept.
//!
//! `messages.txt` lists, for each message, its fields as `number=name/type`: without a type it is text, `[]` is a list, `map:` a
//! map by text.

use crate::sim::status::Status;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Media type of such bodies.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Messages whose fields stand, in JSON, beside those of the message around them.
const INLINE: [&str; 5] =
    ["volumeSource", "localObjectReference", "handler", "persistentVolumeSource", "ephemeralContainerCommon"];

/// Numbers and truth values that may be zero or false on purpose. All others are left out then.
const MAY_BE_ZERO: &[&str] = &[
    "replicas",
    "gracePeriodSeconds",
    "terminationGracePeriodSeconds",
    "activeDeadlineSeconds",
    "parallelism",
    "completions",
    "backoffLimit",
    "runAsUser",
    "runAsGroup",
    "fsGroup",
    "runAsNonRoot",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "partition",
    "revisionHistoryLimit",
    "suspend",
    "orphanDependents",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "ttlSecondsAfterFinished",
    "tolerationSeconds",
    "value",
];

type Fields = HashMap<u64, (&'static str, &'static str)>;

static MESSAGES: LazyLock<HashMap<&'static str, Fields>> = LazyLock::new(|| {
    let field = |text: &'static str| {
        let (number, rest) = text.split_once('=')?;
        Some((number.parse().ok()?, rest.split_once('/').unwrap_or((rest, "string"))))
    };
    let lines = include_str!("messages.txt").lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, fields)| (name, fields.split(' ').filter_map(field).collect())).collect()
});

/// The object in a body.
pub fn decode(body: &[u8]) -> Result<Value, Status> {
    decode_object(body)
        .ok_or_else(|| Status::unsupported_media_type("the body is not in a known protobuf format; use JSON"))
}

fn decode_object(body: &[u8]) -> Option<Value> {
    let mut envelope = Reader(body.strip_prefix(MAGIC)?);
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    while let Some((number, content)) = envelope.field()? {
        match (number, content) {
            (1, Content::Bytes(bytes)) => {
                let mut types = Reader(bytes);
                while let Some((number, content)) = types.field()? {
                    match (number, content) {
                        (1, Content::Bytes(bytes)) => api_version = text(bytes)?,
                        (2, Content::Bytes(bytes)) => kind = text(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, Content::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let mut object = message(&kind, raw)?;
    object.insert("apiVersion".into(), json!(api_version));
    object.insert("kind".into(), json!(kind));
    Some(Value::Object(object))
}

/// Reads a message by its table; fields that are not in it are skipped.
fn message(name: &str, bytes: &[u8]) -> Option<Map<String, Value>> {
    let fields = MESSAGES.get(name)?;
    let mut object = Map::new();
    let mut reader = Reader(bytes);
    while let Some((number, content)) = reader.field()? {
        let Some((name, kind)) = fields.get(&number) else { continue };
        if let Some(kind) = kind.strip_prefix("[]") {
            let list = object.entry(*name).or_insert_with(|| json!([]));
            list.as_array_mut()?.push(value(kind, content)?);
        } else if let Some(kind) = kind.strip_prefix("map:") {
            let (key, value) = entry(kind, content)?;
            object.entry(*name).or_insert_with(|| json!({})).as_object_mut()?.insert(key, value);
        } else {
            let value = value(kind, content)?;
            match value {
                Value::Object(inner) if INLINE.contains(name) => object.extend(inner),
                value if is_left_out(name, &value) => {}
                value => {
                    object.insert((*name).to_owned(), value);
                }
            }
        }
    }
    Some(object)
}

fn is_left_out(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Bool(false) => !MAY_BE_ZERO.contains(&name),
        Value::Number(number) => number.as_f64() == Some(0.0) && !MAY_BE_ZERO.contains(&name),
        _ => false,
    }
}

fn value(kind: &str, content: Content) -> Option<Value> {
    use base64::Engine;
    Some(match (kind, content) {
        ("bool", Content::Number(number)) => json!(number != 0),
        ("int", Content::Number(number)) => json!(number.cast_signed()),
        ("double", Content::Number(number)) => json!(f64::from_bits(number)),
        ("string", Content::Bytes(bytes)) => json!(text(bytes)?),
        ("bytes", Content::Bytes(bytes)) => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
        ("quantity", Content::Bytes(bytes)) => json!(parts(bytes)?.1),
        ("time", Content::Bytes(bytes)) => time(parts(bytes)?.0[1]),
        ("intstr", Content::Bytes(bytes)) => {
            let (numbers, text) = parts(bytes)?;
            if numbers[1] == 1 { json!(text) } else { json!(numbers[2]) }
        }
        ("skip", _) => Value::Null,
        (name, Content::Bytes(bytes)) => Value::Object(message(name, bytes)?),
        _ => return None,
    })
}

fn entry(kind: &str, content: Content) -> Option<(String, Value)> {
    let Content::Bytes(bytes) = content else { return None };
    let (mut key, mut of_key) = (String::new(), Value::Null);
    let mut reader = Reader(bytes);
    while let Some((number, content)) = reader.field()? {
        match (number, content) {
            (1, Content::Bytes(bytes)) => key = text(bytes)?,
            (2, content) => of_key = value(kind, content)?,
            _ => {}
        }
    }
    Some((key, of_key))
}

/// The first two numbers and the last text of a small message.
fn parts(bytes: &[u8]) -> Option<([i64; 3], String)> {
    let (mut numbers, mut last) = ([0; 3], String::new());
    let mut reader = Reader(bytes);
    while let Some((number, content)) = reader.field()? {
        match content {
            Content::Number(value) if number < 3 => numbers[usize::try_from(number).ok()?] = value.cast_signed(),
            Content::Bytes(bytes) => last = text(bytes)?,
            Content::Number(_) => {}
        }
    }
    Some((numbers, last))
}

fn time(seconds: i64) -> Value {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) if seconds != 0 => json!(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        _ => Value::Null,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The content of one field.
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Reads fields one after the other; none anywhere means that the bytes are not well-formed.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next field's number and content; none inside when there are no more.
    #[expect(clippy::option_option, reason = "the outer one is the error, the inner one the end")]
    fn field(&mut self) -> Option<Option<(u64, Content<'a>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let tag = self.number()?;
        let content = match tag & 7 {
            0 => Content::Number(self.number()?),
            1 => Content::Number(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Content::Bytes(self.take(length)?)
            }
            5 => Content::Number(u32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            _ => return None,
        };
        Some(Some((tag >> 3, content)))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn a_namespace_is_read() {
        let metadata = [field(1, b"lab"), field(2, b""), field(8, b"")].concat();
        let types = [field(1, b"v1"), field(2, b"Namespace")].concat();
        let body = [MAGIC.to_vec(), field(1, &types), field(2, &field(1, &metadata))].concat();
        let expected = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}});
        assert_eq!(decode(&body), Ok(expected));
    }

    #[test]
    fn broken_bodies_are_refused() {
        assert_eq!(decode(b"{}").unwrap_err().code, 415);
        assert_eq!(decode(b"k8s\0\x0a\xff").unwrap_err().code, 415);
    }

    #[test]
    fn every_type_in_the_table_is_known() {
        let simple = ["string", "bytes", "bool", "int", "double", "time", "quantity", "intstr", "skip"];
        for (name, fields) in MESSAGES.iter() {
            for (field, kind) in fields.values() {
                let kind = kind.trim_start_matches("[]").trim_start_matches("map:");
                assert!(simple.contains(&kind) || MESSAGES.contains_key(kind), "{name}.{field}: {kind}");
            }
        }
    }
}
