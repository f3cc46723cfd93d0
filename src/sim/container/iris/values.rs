//! The little of ObjectScript's values that is emulated: literals, variables and globals with subscripts, and `_` between them.

use std::fmt;

/// A subscript. Whole numbers come before texts, as IRIS sorts them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscript {
    /// A whole number.
    Number(i64),
    /// Anything else.
    Text(String),
}

/// A variable or, with `^` as the first character of its name, a global.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Its subscripts.
    pub subscripts: Vec<Subscript>,
}

/// One part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A text or a number.
    Literal(String),
    /// The value of a variable.
    Variable(Reference),
    /// A special variable, in lower case and without its `$`.
    Special(String),
}

/// What cannot be read is a `<SYNTAX>` error, whatever it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Syntax;

/// What is left of a line.
pub struct Reader<'a>(pub &'a str);

impl Reference {
    /// Whether it is a global, which is kept.
    pub fn is_global(&self) -> bool {
        self.name.starts_with('^')
    }

    /// Whether it is another one or stands below it.
    pub fn is_in(&self, other: &Reference) -> bool {
        self.name == other.name && self.subscripts.starts_with(&other.subscripts)
    }
}

impl fmt::Display for Reference {
    /// `^x`, `^x("a",1)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscript = |one: &Subscript| match one {
            Subscript::Number(number) => number.to_string(),
            Subscript::Text(text) => quoted(text),
        };
        let list: Vec<String> = self.subscripts.iter().map(subscript).collect();
        f.write_str(&self.name)?;
        if list.is_empty() { Ok(()) } else { write!(f, "({})", list.join(",")) }
    }
}

/// A value as ZWRITE shows it: numbers as they are, texts in quotes.
pub fn shown(value: &str) -> String {
    if number(value).is_some_and(|number| number == value) { value.into() } else { quoted(value) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A number in its canonical form; none when the text is none.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || digits == "." || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some(match (whole, fraction) {
        ("", "") => "0".into(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

impl Reader<'_> {
    /// Takes a text, if it is the next.
    pub fn take(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Takes the longest run of such characters.
    pub fn run(&mut self, fits: impl Fn(char) -> bool) -> String {
        let end = self.0.find(|c| !fits(c)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(end);
        self.0 = rest;
        run.into()
    }

    /// An expression: terms with `_` between them.
    pub fn expression(&mut self) -> Result<Vec<Term>, Syntax> {
        let mut terms = vec![self.term()?];
        while self.take("_") {
            terms.push(self.term()?);
        }
        Ok(terms)
    }

    /// A variable or a global.
    pub fn reference(&mut self) -> Result<Reference, Syntax> {
        let caret = if self.take("^") { "^" } else { "" };
        let name = self.run(|c| c.is_alphanumeric() || c == '%' || c == '.');
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '%') {
            return Err(Syntax);
        }
        let mut subscripts = Vec::new();
        if self.take("(") {
            subscripts.push(self.subscript()?);
            while self.take(",") {
                subscripts.push(self.subscript()?);
            }
            if !self.take(")") {
                return Err(Syntax);
            }
        }
        Ok(Reference { name: format!("{caret}{name}"), subscripts })
    }

    fn term(&mut self) -> Result<Term, Syntax> {
        if self.0.starts_with('"') {
            return self.text().map(Term::Literal);
        }
        if self.take("$") {
            return Ok(Term::Special(self.run(char::is_alphabetic).to_lowercase()));
        }
        if self.0.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') {
            let sign = if self.take("-") { "-" } else { "" };
            let digits = self.run(|c| c.is_ascii_digit() || c == '.');
            return number(&format!("{sign}{digits}")).map(Term::Literal).ok_or(Syntax);
        }
        self.reference().map(Term::Variable)
    }

    /// Only literals: what a subscript is must not depend on anything else.
    fn subscript(&mut self) -> Result<Subscript, Syntax> {
        let Term::Literal(value) = self.term()? else { return Err(Syntax) };
        let whole = value.parse().ok().filter(|number: &i64| number.to_string() == value);
        Ok(whole.map_or(Subscript::Text(value), Subscript::Number))
    }

    fn text(&mut self) -> Result<String, Syntax> {
        let mut parts = Vec::new();
        // A quote inside of a text is doubled: it ends one part and begins the next.
        while self.take("\"") {
            parts.push(self.run(|c| c != '"'));
            if !self.take("\"") {
                return Err(Syntax);
            }
        }
        Ok(parts.join("\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_shown_alike() {
        for text in ["^x", "x", "^k8stest(1)", "^a.b(\"x\",-2,\"say \"\"hi\"\"\")", "%y"] {
            let mut reader = Reader(text);
            assert_eq!(reader.reference().map(|reference| reference.to_string()), Ok(text.to_string()));
            assert_eq!(reader.0, "");
        }
        for text in ["1x", "^", "^x(", "^x(1", "^x(y)", ""] {
            assert_eq!(Reader(text).reference(), Err(Syntax), "{text}");
        }
    }

    #[test]
    fn values_are_canonical() {
        let value = |text: &str| match Reader(text).expression().as_deref() {
            Ok([Term::Literal(value)]) => shown(value),
            other => format!("{other:?}"),
        };
        for (text, wanted) in [
            ("007", "7"),
            ("-1.50", "-1.5"),
            ("0.0", "0"),
            (".5", ".5"),
            ("\"12\"", "12"),
            ("\"a\"\"b\"", "\"a\"\"b\""),
        ] {
            assert_eq!(value(text), wanted, "{text}");
        }
        assert_eq!(value("\"\""), "\"\"");
        assert_eq!((Reader("\"a").expression(), Reader("1.2.3").expression()), (Err(Syntax), Err(Syntax)));
    }

    #[test]
    fn numbers_sort_before_texts() {
        let mut all = [Subscript::Text("a".into()), Subscript::Number(10), Subscript::Number(9)];
        all.sort();
        assert_eq!(all, [Subscript::Number(9), Subscript::Number(10), Subscript::Text("a".into())]);
    }
}
