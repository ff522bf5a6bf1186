// Writes small state files atomically on a thread of its own: temporary file, fsync, rename, fsync
// of the folder, so that a crash at any instant leaves the old or the new one whole. Only the
// newest text for a file counts; older ones that were not written yet are dropped. Thread rule:
// write() from any thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace steerd::server {

/// nullopt, or why the file could not be written (its old content is then untouched).
[[nodiscard]] std::optional<std::string> write_atomically(const std::filesystem::path& file,
                                                          std::string_view text);

class StateWriter {
  public:
    using Failed = std::function<void(const std::string&)>;

    /// `failed` is called on the writer's thread.
    StateWriter(std::filesystem::path file, Failed failed);
    StateWriter(const StateWriter&) = delete;
    StateWriter& operator=(const StateWriter&) = delete;
    /// Writes what is still waiting.
    ~StateWriter();

    /// `text` is made on the writer's thread, so that the caller is not held up by it.
    void write(std::function<std::string()> text);

  private:
    void run();

    std::filesystem::path file_;
    Failed failed_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<std::function<std::string()>> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace steerd::server
