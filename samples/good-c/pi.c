/* pi DIGITS: that many digits of pi, by the spigot of Rabinowitz and Wagon. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int digits = argc > 1 ? atoi(argv[1]) : 10, size = digits * 10 / 3 + 2, nines = 0, held = 0;
    int *a = malloc(sizeof *a * size);
    if (digits < 1 || digits > 100000 || !a) return 2;
    for (int i = 0; i < size; i++) a[i] = 2;
    for (int n = 0; n <= digits; n++) {
        long q = 0;
        for (int i = size - 1; i > 0; i--) {
            long x = 10L * a[i] + q * (i + 1);
            a[i] = (int)(x % (2 * i + 1));
            q = x / (2 * i + 1);
        }
        long x = 10L * a[0] + q;
        a[0] = (int)(x % 10);
        q = x / 10;
        if (q == 9) { nines++; continue; }
        if (n > 0) printf("%ld", held + q / 10);
        for (; nines > 0; nines--) printf(q == 10 ? "0" : "9");
        held = (int)(q % 10);
    }
    printf("\n");
    free(a);
    return 0;
}
