//! What those that are compared are called.

/// Two of the same title are told apart by number.
pub fn told_apart(titles: impl IntoIterator<Item = String>) -> Vec<String> {
    let titles: Vec<String> = titles.into_iter().collect();
    let numbered = titles.iter().enumerate().map(|(at, title)| {
        let same = titles[..at].iter().filter(|before| *before == title).count();
        match same {
            0 => title.clone(),
            n => format!("{title} ({})", n + 1),
        }
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_and_the_third_have_numbers() {
        let titles = ["a 1", "b 1", "a 1", "a 1"].map(str::to_owned);
        assert_eq!(told_apart(titles), ["a 1", "b 1", "a 1 (2)", "a 1 (3)"]);
    }
}
