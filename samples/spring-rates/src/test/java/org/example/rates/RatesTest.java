package org.example.rates;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class RatesTest {
    @Test
    void convertsOverTheEuro() {
        assertEquals(new BigDecimal("5.00"), Rates.convert(BigDecimal.TEN, new BigDecimal("2"), BigDecimal.ONE));
    }
}
