package org.example.rates;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Exchange rates against the euro, from a file that operations replace every day. */
@Component
public class Rates {
    private final Path file;

    public Rates(@Value("${rates.file}") Path file) {
        this.file = file;
    }

    public SortedMap<String, BigDecimal> all() throws IOException {
        var rates = new TreeMap<String, BigDecimal>();
        for (var line : Files.readAllLines(file)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                var cells = line.split(",");
                rates.put(cells[0].trim(), new BigDecimal(cells[1].trim()));
            }
        }
        return rates;
    }

    public static BigDecimal convert(BigDecimal amount, BigDecimal from, BigDecimal to) {
        return amount.multiply(to).divide(from, 2, RoundingMode.HALF_EVEN);
    }
}
