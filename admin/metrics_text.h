// Writes the text format of Prometheus (version 0.0.4): HELP and TYPE once for each family, then
// its samples, labels escaped. Why not Debian's prometheus-cpp: its development package brings a
// web server (civetweb), and its registry wants to own the counters, which here belong to the
// threads that answer. Knows no metric. Thread rule: one owner.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace steerd::admin {

class MetricsText {
  public:
    enum class Type : std::uint8_t { Counter, Gauge, Histogram };
    using Label = std::pair<std::string_view, std::string_view>;
    using Labels = std::initializer_list<Label>;

    /// Begins a family; its samples follow. Names, labels' names and help are ours, as they are.
    void family(std::string_view name, Type type, std::string_view help);

    void sample(Labels labels, double value);
    void sample(Labels labels, std::uint64_t value);

    /// A family of one sample without labels.
    void single(std::string_view name, Type type, std::string_view help, double value);
    void single(std::string_view name, Type type, std::string_view help, std::uint64_t value);

    /// `bounds` are upper bounds in seconds; `counts` has one more, for what is above all of them.
    void histogram(Labels labels, std::span<const double> bounds,
                   std::span<const std::uint64_t> counts, double sum);

    [[nodiscard]] std::string take() noexcept { return std::move(text_); }

  private:
    void begin(std::string_view suffix, Labels labels, Label more = {});

    std::string text_;
    std::string name_;  // of the family
};

}  // namespace steerd::admin
