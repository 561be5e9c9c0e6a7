//! Search marks to safe HTML.
//!
//! The database hands out texts in which matching words stand between U+E000 and U+E001 and in which `<`, `>` and `&`
//! are set aside as U+E002, U+E003 and U+E004 (`montages.marked`). Promises: the only markup that comes out is `<b>` and
//! `</b>`, always in pairs and never nested; everything else of the text is escaped.

/// Turns a marked text into HTML.
#[must_use]
pub fn to_html(marked: &str) -> String {
    let mut html = String::with_capacity(marked.len() + 16);
    let mut open = false;
    for sign in marked.chars() {
        match sign {
            '\u{e000}' if !open => {
                open = true;
                html.push_str("<b>");
            }
            '\u{e001}' if open => {
                open = false;
                html.push_str("</b>");
            }
            '\u{e000}' | '\u{e001}' => {}
            '<' | '\u{e002}' => html.push_str("&lt;"),
            '>' | '\u{e003}' => html.push_str("&gt;"),
            '&' | '\u{e004}' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    if open {
        html.push_str("</b>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_marks_become_markup() {
        assert_eq!(
            to_html("\u{e002}b\u{e003} a \u{e000}goal\u{e001} <i> \u{e004} & \"'"),
            "&lt;b&gt; a <b>goal</b> &lt;i&gt; &amp; &amp; &quot;&#39;"
        );
        assert_eq!(to_html("\u{e001}\u{e000}\u{e000}x"), "<b>x</b>");
    }

    proptest! {
        #[test]
        fn nothing_else_gets_through(text in "[<>&\"'ab\u{e000}-\u{e004}]{0,40}") {
            let html = to_html(&text);
            let rest = html.replace("<b>", "").replace("</b>", "");
            let left = rest.chars().find(|sign| matches!(sign, '<' | '>' | '"' | '\'' | '\u{e000}'..='\u{e004}'));
            prop_assert_eq!(left, None);
            prop_assert_eq!(html.matches("<b>").count(), html.matches("</b>").count());
        }
    }
}
