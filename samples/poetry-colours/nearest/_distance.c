/* Distance of two sRGB colours in CIELAB (CIE76), where equal steps look equal. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>

static double linear(double c) { return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4); }
static double bent(double t) { return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116; }

static void lab(int r, int g, int b, double out[3])
{
    double R = linear(r / 255.0), G = linear(g / 255.0), B = linear(b / 255.0);
    double x = bent((0.4124 * R + 0.3576 * G + 0.1805 * B) / 0.95047);
    double y = bent(0.2126 * R + 0.7152 * G + 0.0722 * B);
    double z = bent((0.0193 * R + 0.1192 * G + 0.9505 * B) / 1.08883);
    out[0] = 116 * y - 16;
    out[1] = 500 * (x - y);
    out[2] = 200 * (y - z);
}

static PyObject *distance(PyObject *self, PyObject *args)
{
    int a[3], b[3];
    double p[3], q[3];
    if (!PyArg_ParseTuple(args, "(iii)(iii)", &a[0], &a[1], &a[2], &b[0], &b[1], &b[2])) return NULL;
    lab(a[0], a[1], a[2], p);
    lab(b[0], b[1], b[2], q);
    return PyFloat_FromDouble(sqrt(pow(p[0] - q[0], 2) + pow(p[1] - q[1], 2) + pow(p[2] - q[2], 2)));
}

static PyMethodDef methods[] = {{"distance", distance, METH_VARARGS, "CIE76 distance of two (r, g, b)"}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_distance", NULL, -1, methods};
PyMODINIT_FUNC PyInit__distance(void) { return PyModule_Create(&module); }
