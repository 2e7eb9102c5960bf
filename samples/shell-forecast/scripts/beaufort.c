/* beaufort KNOTS: the number on Beaufort's scale. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: beaufort KNOTS\n");
        return 2;
    }
    double metres_per_second = atof(argv[1]) * 0.514444;
    int number = (int)lround(pow(metres_per_second / 0.836, 2.0 / 3.0));
    printf("%d\n", number > 12 ? 12 : number);
    return 0;
}
