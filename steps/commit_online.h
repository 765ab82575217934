/* SPDX-License-Identifier: MIT */
/*
 * steps/commit_online: the commit into a database that its application goes on using (SAFETY.md 3.4),
 * and what came of it.
 */
#ifndef ATH_STEPS_COMMIT_ONLINE_H
#define ATH_STEPS_COMMIT_ONLINE_H

#include "steps/database.h"

/*
 * Commit the clone over work->online, if nobody has written since the copy, and read it back: version
 * rows and schema, and every page where the lock is held that keeps them as they are.
 * Fails with: ATH_ERR_LOCKED (also, with work->is_outrun set and nothing written: somebody has),
 * ATH_ERR_VERIFY (it does not read back), ATH_ERR_CANCELLED, ATH_ERR_DATABASE, ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_commit_online(struct ath_database_work *work, struct ath_err *err);

/*
 * A commit was begun and has failed: ask the database whether it is the old state or the new one, as the
 * application may have left it since. Sets work->is_committed and the verdict.
 * Fails with: ATH_ERR_NEEDS_YOU (neither), ATH_ERR_IO, ATH_ERR_DATABASE.
 */
ATH_NODISCARD bool ath_commit_online_judge(struct ath_database_work *work, struct ath_err *err);

#endif
