// An engine in C99, libc alone, for a little-endian machine: float32, one to three axes, torch's arguments (docs/protocol.md).
//     cc -std=c99 -O2 -o engine-c examples/engine.c
//     conformance run 'textbook/*' 'conventions/*' -a 'c=cmd:./engine-c'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define GREETING "{\"protocol\": 1, \"convention\": \"torch\", \"versions\": {\"engine-c\": \"1.0\"}, \"devices\": [\"cpu\"]}"
typedef struct { int rank, is_float32; double shape[32]; int64_t count; float *values; } Tensor;  // 32 axes at most
typedef struct { int64_t size, kernel, stride, dilation, padding, out; } Axis;

static const char *end_of(const char *p) {  // where the JSON value at p ends: at a comma or a bracket that closes
    for (int depth = 0, quoted = 0; *p; p++) {
        if (quoted && *p == '\\' && p[1]) p++;
        else if (*p == '"') quoted = !quoted;
        else if (!quoted && depth == 0 && strchr(",]}", *p)) break;
        else if (!quoted) depth += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
    }
    return p;
}

static int is(const char *value, const char *word) {  // whether the JSON value is that string
    size_t length = strlen(word);
    return value[0] == '"' && strncmp(value + 1, word, length) == 0 && value[length + 1] == '"';
}

static const char *get(const char *object, const char *key) {  // the value of a key, "" if there is none
    for (const char *p = object; *p == '{' || *p == ','; p = end_of(p)) {
        p += 1 + strspn(p + 1, " ");
        if (is(p, key)) return p + strlen(key) + 2 + strspn(p + strlen(key) + 2, " :");
    }
    return "";
}

static int numbers(const char *list, double *found) {  // how many the list has: it is not empty
    int count = 0;
    for (; (*list == '[' || *list == ',') && count < 32; list = end_of(list + 1)) found[count++] = strtod(list + 1, NULL);
    return count;
}

static Tensor read_tensor(const char *described) {
    Tensor t = {.count = 1, .is_float32 = is(get(described, "dtype"), "float32")};
    t.rank = numbers(get(described, "shape"), t.shape);
    for (int i = 0; i < t.rank; i++) t.count *= (int64_t)t.shape[i];
    size_t bytes = (size_t)t.count * (t.is_float32 ? 4 : is(get(described, "dtype"), "float64") ? 8 : 2);
    if (!(t.values = malloc(bytes + 1)) || fread(t.values, 1, bytes, stdin) != bytes) exit(1);
    return t;
}

// What is wrong with the call, or NULL: then the axes have their windows, and y its shape. Doubles have room for nonsense.
static const char *refuse(const Tensor *x, const Tensor *w, const Tensor *bias, const char *native, Axis *axes, Tensor *y) {
    double s[32], p[32], q[32], d[32], size[32], space = 1, channels = x->shape[1], groups = strtod(get(native, "groups"), NULL);
    int rank = x->rank - 2, is_sized = numbers(get(native, "output_size"), size) == rank;
    if (numbers(get(native, "stride"), s) != rank || numbers(get(native, "padding"), p) != rank || w->rank != x->rank ||
        numbers(get(native, "output_padding"), q) != rank || numbers(get(native, "dilation"), d) != rank)
        return "there should be one number per axis";
    if (!(groups >= 1 && groups <= channels) || (int64_t)channels % (int64_t)groups || w->shape[0] != channels || !w->count)
        return "kernel and groups do not fit the channels of the input";
    *y = (Tensor){.rank = x->rank, .shape = {x->shape[0], w->shape[1] * groups}};
    if (bias->rank && bias->count != y->shape[1]) return "the bias should have C_out numbers";
    for (int i = 0; i < rank; i++) {
        double n = x->shape[i + 2], k = w->shape[i + 2], least = (n - 1) * s[i] + d[i] * (k - 1) + 1 - 2 * p[i];
        double extra = is_sized ? size[i] - least : q[i], out = y->shape[i + 2] = least + extra;
        if (k < 1 || s[i] < 1 || d[i] < 1 || p[i] < 0) return "kernel, stride, dilation or padding is too small";
        if (extra < 0 || extra >= (s[i] > d[i] ? s[i] : d[i])) return "output_padding should be below stride or dilation";
        if (out < 1) return "the output would be empty";
        if (n * s[i] > 1e12 || k * d[i] > 1e12 || (space *= out) > 1e9) return "the output would be too large";
        axes[i] = (Axis){(int64_t)n, (int64_t)k, (int64_t)s[i], (int64_t)d[i], (int64_t)p[i], (int64_t)out};
    }
    y->count = (int64_t)(y->shape[0] * y->shape[1] * space);
    return y->count > 1e9 ? "the output would be too large" : NULL;
}

// Every product goes to its place, if that is in the window.
static void compute(const Tensor *x, const Tensor *w, const Tensor *bias, const Axis *axes, const Tensor *y, double *sums) {
    int64_t inputs = (int64_t)x->shape[1], outputs = (int64_t)y->shape[1], each = (int64_t)w->shape[1];
    int64_t positions = 1, taps = 1, places = 1;
    for (int i = 0; i < x->rank - 2; i++) positions *= axes[i].size, taps *= axes[i].kernel, places *= axes[i].out;
    for (int64_t i = 0; i < x->count; i++) for (int64_t tap = 0; tap < taps; tap++) {
        int64_t n = i / positions / inputs, c = i / positions % inputs, at = 0, step = 1, is_inside = 1, position = i, left = tap;
        for (const Axis *a = axes + x->rank - 2; a-- > axes; step *= a->out, position /= a->size, left /= a->kernel) {
            int64_t place = position % a->size * a->stride + left % a->kernel * a->dilation - a->padding;
            is_inside &= place >= 0 && place < a->out;
            at += place * step;
        }
        int64_t first = n * outputs + c / (inputs * each / outputs) * each;  // output channel of the group
        for (int64_t o = 0; is_inside && o < each; o++)
            sums[(first + o) * places + at] += (double)x->values[i] * w->values[(c * each + o) * taps + tap];
    }
    for (int64_t i = 0; bias->rank && i < y->count; i++) sums[i] += bias->values[i / places % outputs];
}

int main(void) {
    static char line[(4 << 20) + 2];
    while (fgets(line, sizeof line, stdin) && !is(get(line, "do"), "bye")) {
        Tensor given[4] = {{0}}, y = {0};  // x, kernel, and what there is of bias and cotangent
        Axis axes[3];
        int count = 0, can = is(get(line, "do"), "call"), is_hello = is(get(line, "do"), "hello");
        for (const char *p = get(line, "tensors"); (*p == '[' || *p == ',') && count < 4; p = end_of(p + 1))
            can &= (given[count++] = read_tensor(p + 1 + strspn(p + 1, " "))).is_float32;
        can = can && given[0].rank >= 3 && given[0].rank <= 5;
        const char *wrong = can ? refuse(&given[0], &given[1], &given[2], get(line, "native"), axes, &y) : NULL;
        double *sums = calloc((size_t)y.count + 1, sizeof *sums), id = strtod(get(line, "id"), NULL);
        if (!sums) wrong = "the output does not fit into memory";
        if (is_hello) puts(GREETING);
        else printf("{\"id\": %.0f, \"outcome\": ", id);
        if (!can && !is_hello) puts("\"unsupported\", \"reason\": \"It answers calls, in float32, of one to three axes.\"}");
        else if (wrong) printf("\"raised\", \"type\": \"ValueError\", \"message\": \"%s\"}\n", wrong);
        else if (can) {
            compute(&given[0], &given[1], &given[2], axes, &y, sums);
            printf("\"output\", \"tensors\": [{\"name\": \"y\", \"dtype\": \"float32\", \"shape\": [%.0f", y.shape[0]);
            for (int i = 1; i < y.rank; i++) printf(", %.0f", y.shape[i]);
            puts("]}]}");
            for (int64_t i = 0; i < y.count; i++) fwrite(&(float){(float)sums[i]}, 4, 1, stdout);
        }
        fflush(stdout);
        for (free(sums); count--;) free(given[count].values);
    }
}
