// See metrics_text.h. Thread rule: one owner.
#include "admin/metrics_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/check.h"

namespace steerd::admin {

namespace {

std::string_view word(MetricsText::Type type) {
    switch (type) {
        case MetricsText::Type::Counter:
            return "counter";
        case MetricsText::Type::Gauge:
            return "gauge";
        case MetricsText::Type::Histogram:
            return "histogram";
    }
    return "untyped";
}

void append_label(std::string& out, MetricsText::Label label) {
    out += label.first;
    out += "=\"";
    for (const char c : label.second) {
        if (c == '\\' || c == '"') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    out += '"';
}

/// The shortest form that is the same number again; the format spells what is none its own way.
std::string number(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    return fmt::format("{}", value);
}

}  // namespace

void MetricsText::family(std::string_view name, Type type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   word(type));
}

void MetricsText::begin(std::string_view suffix, Labels labels, Label more) {
    text_ += name_;
    text_ += suffix;
    char before = '{';
    for (const Label& label : labels) {
        text_ += before;
        append_label(text_, label);
        before = ',';
    }
    if (!more.first.empty()) {
        text_ += before;
        append_label(text_, more);
        before = ',';
    }
    if (before == ',') {
        text_ += '}';
    }
    text_ += ' ';
}

void MetricsText::sample(Labels labels, double value) {
    begin("", labels);
    text_ += number(value);
    text_ += '\n';
}

void MetricsText::sample(Labels labels, std::uint64_t value) {
    begin("", labels);
    fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void MetricsText::single(std::string_view name, Type type, std::string_view help, double value) {
    family(name, type, help);
    sample({}, value);
}

void MetricsText::single(std::string_view name, Type type, std::string_view help,
                         std::uint64_t value) {
    family(name, type, help);
    sample({}, value);
}

void MetricsText::histogram(Labels labels, std::span<const double> bounds,
                            std::span<const std::uint64_t> counts, double sum) {
    CHECK(counts.size() == bounds.size() + 1);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        below += counts[i];
        const std::string bound = i < bounds.size() ? number(bounds[i]) : "+Inf";
        begin("_bucket", labels, {"le", bound});
        fmt::format_to(std::back_inserter(text_), "{}\n", below);
    }
    begin("_sum", labels);
    text_ += number(sum);
    text_ += '\n';
    begin("_count", labels);
    fmt::format_to(std::back_inserter(text_), "{}\n", below);
}

}  // namespace steerd::admin
