// The temporary directory of a drill that starts processes: gone with the object, and where the
// drill was killed, gone with the next drill. It is marked by a locked file: the kernel lets go of
// the lock when the process is gone, however it died, so that nothing is judged by a number that
// another process may have by now. Only directories of this user, of this name, with that file are
// ever removed. Deliberately not here: what lies in it. Thread rule: one owner.
#pragma once

#include <filesystem>

#include "drill/live_fd.h"

namespace steerd::drill {

class LiveFolder {
  public:
    /// Makes one below the directory for temporary files, where it first removes what killed drills
    /// have left. Where that cannot be, path() is empty and errno says why.
    LiveFolder();
    LiveFolder(const LiveFolder&) = delete;
    LiveFolder& operator=(const LiveFolder&) = delete;
    /// Removes it with all that is in it.
    ~LiveFolder();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
    LiveFd lock_;
};

/// Removes the directories of drills that are no more from `folder`; how many.
std::size_t remove_left_folders(const std::filesystem::path& folder);

}  // namespace steerd::drill
