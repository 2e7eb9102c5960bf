//! roman NUMBER...: the numbers in Roman numerals, one per line.
use lexopt::prelude::*;

const NUMERALS: [(u32, &str); 13] = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
];

fn roman(mut number: u32) -> String {
    let mut out = String::new();
    for (value, numeral) in NUMERALS {
        while number >= value {
            out += numeral;
            number -= value;
        }
    }
    out
}

fn main() -> Result<(), lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(text) => println!("{}", roman(text.parse()?)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(())
}
