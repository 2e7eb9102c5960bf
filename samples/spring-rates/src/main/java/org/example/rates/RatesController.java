package org.example.rates;

import java.io.IOException;
import java.math.BigDecimal;
import java.text.NumberFormat;
import java.util.Currency;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

@RestController
public class RatesController {
    private final Rates rates;

    public RatesController(Rates rates) {
        this.rates = rates;
    }

    @GetMapping("/rates")
    public Map<String, BigDecimal> all() throws IOException {
        return rates.all();
    }

    @GetMapping("/convert/{from}/{to}")
    public Map<String, Object> convert(
            @PathVariable("from") String from, @PathVariable("to") String to, @RequestParam("amount") BigDecimal amount)
            throws IOException {
        var known = rates.all();
        if (!known.containsKey(from) || !known.containsKey(to)) {
            throw new ResponseStatusException(HttpStatus.NOT_FOUND, "no rate for " + from + " or " + to);
        }
        var result = Rates.convert(amount, known.get(from), known.get(to));
        var shown = NumberFormat.getCurrencyInstance(); // as the server's locale has it
        shown.setCurrency(Currency.getInstance(to));
        return Map.of("amount", result, "shown", shown.format(result));
    }
}
