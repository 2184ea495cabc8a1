//! From SQL names to GraphQL names: words, case, singular and plural.

use any_ascii::any_ascii;

/// `order_details`, `OrderDetails`, `"Order Details"` → `OrderDetails`.
pub(crate) fn pascal(name: &str) -> String {
    let joined: String = words(name).iter().map(|word| capitalized(word)).collect();
    lead_with_letter(joined)
}

/// `created_at`, `CreatedAt` → `createdAt`.
pub(crate) fn camel(name: &str) -> String {
    let mut joined = String::new();
    for (index, word) in words(name).iter().enumerate() {
        if index == 0 {
            joined.push_str(word);
        } else {
            joined.push_str(&capitalized(word));
        }
    }
    lead_with_letter(joined)
}

/// `in_progress`, `PG-13`, `ApiKey` → `IN_PROGRESS`, `PG_13`, `API_KEY`.
pub(crate) fn constant(name: &str) -> String {
    let joined = words(name).join("_").to_ascii_uppercase();
    lead_with_letter(joined)
}

/// The names of an enum's labels: where two become the same, the later ones are numbered.
pub(crate) fn constants(labels: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(labels.len());
    for label in labels {
        let plain = constant(label);
        let mut name = plain.clone();
        let mut count = 2;
        while names.contains(&name) {
            // Two underscores in a row at the start are GraphQL's own: `_` is followed by `_2`.
            name = format!("{}_{count}", plain.trim_end_matches('_'));
            count += 1;
        }
        names.push(name);
    }
    names
}

/// `OrderDetails` → `OrderDetail`: only the last word is a noun in the plural.
pub(crate) fn singular(name: &str) -> String {
    inflect_last_word(name, 1)
}

/// `orderDetail` → `orderDetails`.
pub(crate) fn plural(name: &str) -> String {
    inflect_last_word(name, 2)
}

/// Words that the library bends wrongly, or that nobody bends: (singular, plural).
const IRREGULAR: [(&str, &str); 12] = [
    ("cache", "caches"),
    ("data", "data"),
    ("dns", "dns"),
    ("gps", "gps"),
    ("lens", "lenses"),
    ("metadata", "metadata"),
    ("ios", "ios"),
    ("os", "os"),
    ("pos", "pos"),
    ("sms", "sms"),
    ("us", "us"),
    ("axis", "axes"),
];

fn inflect_last_word(name: &str, count: isize) -> String {
    let start = name
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_ascii_uppercase() || *c == '_' || c.is_ascii_digit())
        .map_or(0, |(index, c)| {
            if c.is_ascii_uppercase() {
                index
            } else {
                index + 1
            }
        });
    let (head, last) = name.split_at(start);
    let word = last.to_ascii_lowercase();
    let irregular = IRREGULAR
        .iter()
        .find(|(one, many)| *one == word || *many == word);
    let word = match irregular {
        Some((one, many)) => (if count == 1 { *one } else { *many }).to_owned(),
        // Too short to have a plural's ending: `s` without it would be nothing.
        None if word.is_empty() || (count == 1 && word.len() < 3) => word,
        None => pluralizer::pluralize(&word, count, false),
    };
    if last.starts_with(|c: char| c.is_ascii_uppercase()) {
        format!("{head}{}", capitalized(&word))
    } else {
        format!("{head}{word}")
    }
}

/// Cuts a name into lower-case ASCII words at everything that is no letter or digit, and at humps.
fn words(name: &str) -> Vec<String> {
    let ascii = any_ascii(name);
    let chars: Vec<char> = ascii.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            flush(&mut word, &mut words);
            continue;
        }
        if starts_hump(&chars, index) {
            flush(&mut word, &mut words);
        }
        word.push(c.to_ascii_lowercase());
    }
    flush(&mut word, &mut words);
    words
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// `createdAt` breaks before `A`; `HTMLPage` before `P`; `ISBN` nowhere.
fn starts_hump(chars: &[char], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).map(|before| chars[before]) else {
        return false;
    };
    let after = chars.get(index + 1);
    chars[index].is_ascii_uppercase()
        && (before.is_ascii_lowercase()
            || before.is_ascii_digit()
            || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)))
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + chars.as_str()
    })
}

/// GraphQL names start with a letter or an underscore, and two underscores are reserved.
///
/// <https://spec.graphql.org/October2021/#sec-Names>
fn lead_with_letter(name: String) -> String {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("_{name}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (name, expected) in [
            ("created_at", "createdAt"),
            ("AlbumId", "albumId"),
            ("ISBN", "isbn"),
            ("HTMLPage", "htmlPage"),
            ("Order Details", "orderDetails"),
            ("2nd_try", "_2ndTry"),
            ("größe", "grosse"),
            ("a\"b", "aB"),
            ("__typename", "typename"),
            ("address2", "address2"),
        ] {
            assert_eq!(camel(name), expected, "{name}");
        }
        assert_eq!(pascal("order_details"), "OrderDetails");
        assert_eq!(constant("PG-13"), "PG_13");
        assert_eq!(constant("in progress"), "IN_PROGRESS");
    }

    #[test]
    fn labels_without_words_have_names() {
        let labels = ["<", "<=", "", "a-b", "a_b", "2"].map(str::to_owned);
        assert_eq!(
            constants(&labels),
            ["_", "_2", "_3", "A_B", "A_B_2", "_2_2"]
        );
    }

    #[test]
    fn numbers() {
        for (many, one) in [
            ("Issues", "Issue"),
            ("Categories", "Category"),
            ("OrderDetails", "OrderDetail"),
            ("Addresses", "Address"),
            ("Statuses", "Status"),
            ("People", "Person"),
            ("Movies", "Movie"),
            ("Boxes", "Box"),
            ("Indices", "Index"),
            ("Analyses", "Analysis"),
            ("UserAliases", "UserAlias"),
            ("Houses", "House"),
            ("Databases", "Database"),
            ("Responses", "Response"),
            ("Caches", "Cache"),
        ] {
            assert_eq!(singular(many), one);
            assert_eq!(plural(one), many);
        }
        for same in [
            "Address", "Status", "Business", "Film", "Bus", "Analysis", "Gps", "Class",
        ] {
            assert_eq!(singular(same), same);
        }
        for short in ["S", "As", "OrderS"] {
            assert_eq!(singular(short), short);
        }
        assert_eq!(plural("status"), "statuses");
        assert_eq!(plural("film"), "films");
        assert_eq!(plural("tag2"), "tag2");
    }
}
