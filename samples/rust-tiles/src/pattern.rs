//! A Truchet pattern: quarter circles, turned by a small random generator that gives the same for the same seed.
use std::fmt::Write;

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

pub fn svg(seed: u64, size: u32, colours: &[String]) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\">");
    for y in 0..size {
        for x in 0..size {
            let turn = 90 * (next(&mut state) % 4);
            let colour = &colours[next(&mut state) as usize % colours.len()];
            let _ = write!(
                out,
                "<path transform=\"translate({x} {y}) rotate({turn} .5 .5)\" fill=\"{colour}\" d=\"M0 0h1a1 1 0 0 1-1 1z\"/>"
            );
        }
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_seed_gives_the_same_pattern() {
        let colours = vec!["#000".to_string(), "#fff".to_string()];
        assert_eq!(super::svg(7, 4, &colours), super::svg(7, 4, &colours));
        assert_ne!(super::svg(7, 4, &colours), super::svg(8, 4, &colours));
    }
}
