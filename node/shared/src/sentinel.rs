//! Where the primary of a name is, by its Sentinels.

use redis::Value;

use crate::address::Host;
use crate::failure::Failure;
use crate::server::{Terms, exchange};

/// Asks one Sentinel after the other. Who answers to be a primary is one, as
/// far as that server knows.
pub(crate) async fn primary(
    terms: &Terms,
    sentinels: &[Host],
    name: &str,
) -> Result<Host, Failure> {
    let mut failure = Failure::lost("no Sentinel is named");
    for sentinel in sentinels {
        match ask(terms, sentinel, name).await {
            Ok(host) => return Ok(host),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

async fn ask(terms: &Terms, sentinel: &Host, name: &str) -> Result<Host, Failure> {
    let mut connection = terms.connect(sentinel, true).await?;
    let mut question = redis::pipe();
    question
        .cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(name);
    let host = match exchange(&mut connection, &question).await?.pop() {
        Some(Value::Array(parts)) => host(&parts),
        Some(Value::ServerError(error)) => return Err(Failure::said(&error)),
        _ => None,
    };
    let host = host.ok_or_else(|| Failure::lost(format!("no Sentinel knows of {name}")))?;
    let mut connection = terms.connect(&host, false).await?;
    let mut question = redis::pipe();
    question.cmd("ROLE");
    let role = match exchange(&mut connection, &question).await?.pop() {
        Some(Value::Array(parts)) => parts.first().and_then(text),
        _ => None,
    };
    match role.as_deref() {
        Some("master") => Ok(host),
        _ => Err(Failure::lost(format!(
            "{}:{} is no primary",
            host.0, host.1
        ))),
    }
}

fn host(parts: &[Value]) -> Option<Host> {
    let [host, port] = parts else {
        return None;
    };
    Some((text(host)?, text(port)?.parse().ok()?))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}
