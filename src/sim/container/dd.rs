//! `dd of=FILE bs=N count=N`: writes so many bytes of its input to a file.

use super::{Container, Io};
use futures::future::BoxFuture;

/// Copies them.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let operand = |name: &str| arguments.iter().find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| operand(name).and_then(|text| text.parse::<usize>().ok());
        let (Some(file), Some(size), Some(count)) = (operand("of"), number("bs"), number("count")) else {
            io.complain("dd: only `dd of=FILE bs=N count=N` is emulated\n").await;
            return 1;
        };
        let (wanted, mut content) = (size.saturating_mul(count), Vec::new());
        while content.len() < wanted {
            let bytes = io.bytes(wanted - content.len()).await;
            if bytes.is_empty() {
                break;
            }
            content.extend(bytes);
        }
        let records = content.len() / size.max(1);
        container.write(file, content);
        io.complain(&format!("{records}+0 records in\n{records}+0 records out\n")).await;
        0
    })
}
