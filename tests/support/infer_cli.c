/* SPDX-License-Identifier: MIT */
/*
 * support/infer_cli: the inference as a program, over many databases of one chain, and over random
 * drift of them in memory.
 *
 * Reads requests from its standard input, one a line, parted by tabs, and answers each with one line
 * of JSON. The effects of a chain are read once; the look at a file and the inference are those of
 * `inspect`.
 *
 *	chain ROOT CONFIG SECTION PYTHON   the graph and what each revision is
 *	data ID ...                        the revisions that really have data steps
 *	cut FILE TABLE ID ...              a database whose applied revisions are known: a truth
 *	ask NUMBER ROWS                    what is inferred of that truth, with other version rows
 *	file FILE TABLE NUMBER ROWS        the same of another file whose truth is that of NUMBER
 *	drift FIRST COUNT JUDGE            COUNT seeds; JUDGE: inference; by_hand, where columns come
 *	                                   and go, too; or naive, a control that has to be caught
 *
 * ROWS: "=" as they are, "-" no version table, "0" an empty one, or ids joined by commas.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/infer.h"
#include "alembic/interval.h"
#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"
#include "facts/chain.h"
#include "facts/effects.h"
#include "facts/snapshot.h"

enum {
	WORDS_MAX = 256,
	SHOWN_MAX = 3, /* wrong answers that are told in whole */
};

/* A database and which revisions have been applied to it. */
struct truth {
	const bool *cut;
	struct ath_elements elements;
	bool has_table;
	struct ath_texts rows;
};

struct world {
	struct ath_arena arena; /* of the chain and its truths */
	struct ath_facts_chain chain;
	struct ath_facts_effects effects;
	bool *has_data; /* by number of revision */
	ATH_VEC(struct truth) truths;
};

/* A live schema that is being changed. */
struct live {
	ATH_VEC(struct ath_element) items;
};

static const struct ath_chain *chain_of(const struct world *world)
{
	return &world->chain.chain;
}

static void clear(struct world *world)
{
	ath_vec_fini(&world->truths);
	ath_facts_effects_fini(&world->effects);
	ath_facts_chain_fini(&world->chain);
	ath_arena_fini(&world->arena);
	*world = (struct world){ 0 };
}

static void fail(const struct ath_err *err, const char *what)
{
	fprintf(stderr, "%s: %s\n", what, err->msg);
	exit(1);
}

/* Sets. */

static const bool *read_cut(const struct world *world, const char *const *ids, size_t len,
			    struct ath_arena *arena)
{
	size_t *rows = ath_arena_new(arena, len, sizeof(*rows));
	struct ath_chain_list list = { rows, 0 };

	for (size_t i = 0; i < len; i++) {
		rows[list.len] = ath_chain_find(chain_of(world), ids[i]);
		list.len += rows[list.len] < chain_of(world)->len;
	}
	return ath_chain_new_ancestors(chain_of(world), list, arena);
}

static struct ath_texts split(const char *text, struct ath_arena *arena)
{
	const char **items = ath_arena_new(arena, strlen(text) + 2, sizeof(*items));
	char *at = ath_arena_strdup(arena, text), *word;
	struct ath_texts texts = { items, 0 };

	while ((word = strtok_r(at, ",", &at)))
		items[texts.len++] = word;
	return texts;
}

static bool is_same(const struct world *world, const bool *one, const bool *other)
{
	return !memcmp(one, other, chain_of(world)->len * sizeof(*one));
}

static const struct truth *find_truth(const struct world *world, const bool *cut)
{
	ath_vec_each (&world->truths, one) {
		if (is_same(world, one->cut, cut))
			return one;
	}
	return NULL;
}

/* Judging: may an answer end at that cut? */

struct answer {
	enum ath_decision decision;
	const char *inferred; /* as in ath_inference */
	size_t half;          /* number of a revision, or chain->len */
	const bool *stamp;    /* the cut that the rows stand for; NULL: there are none */
	const struct ath_inference *whole; /* NULL: of the naive judge */
};

static const char *type_of(const struct ath_element *element)
{
	return element->attributes.type ? element->attributes.type : "";
}

/*
 * Is each element that the cuts disagree about as the answer has it, or, where it may be half
 * there, as in `half`? Then drift has made it so. `half` may be NULL.
 */
static bool is_as_answered(const struct ath_elements *answer, const struct ath_elements *truth,
			   const struct ath_elements *live, const struct ath_elements *half)
{
	const struct ath_elements *sides[] = { answer, truth };

	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < sides[side]->len; i++) {
			const struct ath_element *one = &sides[side]->items[i];
			const struct ath_element *wanted = ath_element_find(answer, one->key);
			const struct ath_element *real = ath_element_find(truth, one->key);
			const struct ath_element *found = ath_element_find(live, one->key);

			if (!wanted != !real && !wanted != !found &&
			    !(half && found && ath_element_find(half, one->key)))
				return false;
			if (wanted && real && found && strcmp(type_of(wanted), type_of(real)) &&
			    !strcmp(type_of(real), type_of(found)))
				return false;
		}
	}
	return true;
}

static bool has_between(const struct world *world, const bool *one, const bool *other,
			bool wants_blind)
{
	for (size_t i = 0; i < chain_of(world)->len; i++) {
		bool is_blind = ath_interval_is_blind(&world->effects.items[i]);

		if (one[i] != other[i] && (wants_blind ? is_blind : world->has_data[i]))
			return true;
	}
	return false;
}

/* All that is known at a stamp may be wrong about data steps and about what is blind. */
static bool is_cut_fine(const struct world *world, const struct truth *truth,
			const struct ath_elements *live, const struct answer *answer,
			const bool *cut)
{
	const struct truth *other = find_truth(world, cut);
	struct ath_elements none = { 0 };
	bool is_stamp = answer->stamp && is_same(world, answer->stamp, cut);

	if (is_same(world, cut, truth->cut))
		return true;
	if (is_stamp && has_between(world, cut, truth->cut, true))
		return true;
	if (!is_stamp && has_between(world, cut, truth->cut, false))
		return false;
	return is_as_answered(other ? &other->elements : &none, &truth->elements, live, NULL);
}

/*
 * What is half there is undone and the revision run again: fine if that ends at the truth, which
 * lacks a part of it, or if all else is as in the cut below.
 */
static bool is_half_fine(const struct world *world, const struct truth *truth,
			 const struct ath_elements *live, const struct answer *answer,
			 const bool *cut, struct ath_arena *arena)
{
	bool *above = ath_arena_new(arena, chain_of(world)->len + 1, sizeof(*above));
	const struct truth *low = find_truth(world, cut), *high;
	struct ath_elements none = { 0 };

	if (answer->half >= chain_of(world)->len)
		return false;
	memcpy(above, cut, chain_of(world)->len * sizeof(*above));
	above[answer->half] = true;
	if (is_same(world, above, truth->cut))
		return true;
	high = find_truth(world, above);
	if (!high || has_between(world, above, truth->cut, false))
		return false;
	return is_as_answered(low ? &low->elements : &none, &truth->elements, live,
			      &high->elements);
}

static bool is_confident(const struct answer *answer)
{
	return answer->decision == ATH_DECISION_NONE || answer->decision == ATH_DECISION_STAMP ||
	       answer->decision == ATH_DECISION_COMPLETE;
}

static bool is_fine(const struct world *world, const struct truth *truth,
		    const struct ath_elements *live, const struct answer *answer)
{
	struct ath_arena arena = { 0 };
	struct ath_texts ids = split(answer->inferred ? answer->inferred : "", &arena);
	bool *cut = ath_arena_new(&arena, chain_of(world)->len + 1, sizeof(*cut));
	bool fine;

	memcpy(cut, read_cut(world, ids.items, ids.len, &arena), chain_of(world)->len);
	fine = is_cut_fine(world, truth, live, answer, cut) ||
	       (answer->decision == ATH_DECISION_COMPLETE &&
		is_half_fine(world, truth, live, answer, cut, &arena));
	ath_arena_fini(&arena);
	return fine;
}

/* Asking. */

struct question {
	struct ath_elements live;
	bool has_table;
	struct ath_texts rows;
};

static struct answer infer(const struct world *world, const struct question *question,
			   struct ath_arena *arena)
{
	struct ath_infer_input input = {
		.chain = chain_of(world),
		.effects = world->effects.items,
		.live = question->live,
		.has_version_table = question->has_table,
		.rows = question->rows,
	};
	struct ath_inference *out = ath_arena_new(arena, 1, sizeof(*out));

	ath_infer(&input, arena, out);
	return (struct answer){
		.decision = out->decision,
		.inferred = out->inferred,
		.half = out->half.revision,
		.stamp = question->rows.len
				 ? read_cut(world, question->rows.items, question->rows.len, arena)
				 : NULL,
		.whole = out,
	};
}

/* The control: the latest revision whose first element is there. */
static struct answer guess(const struct world *world, const struct question *question)
{
	const struct ath_chain *chain = chain_of(world);
	struct answer answer = { .decision = ATH_DECISION_STAMP, .half = chain->len };

	for (size_t place = 0; place < chain->len; place++) {
		size_t revision = chain->order.items[place];
		const struct ath_effects *effects = &world->effects.items[revision];

		if (effects->len && effects->items[0].verb == ATH_EFFECT_ADD &&
		    ath_element_find(&question->live, effects->items[0].element.key))
			answer.inferred = chain->entries[revision].id;
	}
	return answer;
}

static void put_texts(struct ath_json *json, const char *key, const struct ath_texts *texts)
{
	ath_json_key(json, key);
	ath_json_open(json, '[');
	for (size_t i = 0; i < texts->len; i++)
		ath_json_text(json, texts->items[i]);
	ath_json_close(json, ']');
}

static void put_answer(struct ath_json *json, const struct world *world,
		       const struct answer *answer)
{
	const struct ath_inference *whole = answer->whole;
	const struct ath_chain *chain = chain_of(world);

	ath_json_put_text(json, "decision", ath_decision_name(answer->decision));
	ath_json_put_text(json, "inferred", answer->inferred);
	if (!whole)
		return;
	ath_json_put_text(json, "verdict", ath_verdict_name(whole->verdict));
	put_texts(json, "candidates", &whole->candidates);
	put_texts(json, "pending", &whole->pending);
	put_texts(json, "stamp", &whole->stamp);
	put_texts(json, "passed_over", &whole->passed_over);
	ath_json_put_text(json, "half",
			  answer->half < chain->len ? chain->entries[answer->half].id : NULL);
	ath_json_put_text(json, "reason", whole->reason);
	ath_json_put_int(json, "blind", (int64_t)whole->blind);
}

static void choose_rows(const char *text, const struct truth *truth, struct question *question,
			struct ath_arena *arena)
{
	question->has_table = true;
	if (ath_str_is(text, "=")) {
		question->has_table = truth->has_table;
		question->rows = truth->rows;
	} else if (ath_str_is(text, "-")) {
		question->has_table = false;
	} else if (!ath_str_is(text, "0")) {
		question->rows = split(text, arena);
	}
}

static void ask(const struct world *world, const struct truth *truth,
		const struct ath_elements *live, const char *rows, struct ath_json *json)
{
	struct ath_arena arena = { 0 };
	struct question question = { .live = *live };
	struct answer answer;

	choose_rows(rows, truth, &question, &arena);
	answer = infer(world, &question, &arena);
	put_answer(json, world, &answer);
	ath_json_put_bool(json, "fine",
			  !is_confident(&answer) || is_fine(world, truth, live, &answer));
	ath_arena_fini(&arena);
}

/* Files. */

static void read_file(const char *path, const char *table, struct ath_arena *arena,
		      struct truth *out)
{
	struct ath_facts_snapshot_of of = { .path = path, .version_table = table, .arena = arena };
	struct ath_look look = { 0 };
	struct ath_err err = { 0 };
	const char **rows;

	if (!ath_facts_snapshot(&of, &look, &out->elements, &err))
		fail(&err, path);
	rows = ath_arena_new(arena, look.rows_len + 1, sizeof(*rows));
	for (size_t i = 0; i < look.rows_len; i++)
		rows[i] = ath_arena_strdup(arena, look.rows[i]);
	out->rows = (struct ath_texts){ rows, look.rows_len };
	out->has_table = look.stamp != ATH_STAMP_NO_TABLE;
	ath_look_fini(&look);
}

static void load_effects(struct world *world, const char *python)
{
	struct ath_environ environment = { 0 };
	struct ath_facts_reader reader = { .python = python,
					   .folder = "/tmp",
					   .environment = &environment };
	struct ath_err err = { 0 };
	int signum;

	ath_environ_init(&environment);
	if (!ath_facts_effects_read(&reader, chain_of(world), &world->effects, &signum, &err))
		fail(&err, "effects");
	ath_environ_fini(&environment);
	world->has_data =
		ath_arena_new(&world->arena, chain_of(world)->len + 1, sizeof(*world->has_data));
}

static void put_revision(struct ath_json *json, const struct world *world, size_t revision)
{
	const struct ath_chain_entry *entry = &chain_of(world)->entries[revision];
	const struct ath_chain_node *node = &chain_of(world)->nodes[revision];
	const struct ath_effects *effects = &world->effects.items[revision];

	ath_json_open(json, '{');
	ath_json_put_text(json, "id", entry->id);
	put_texts(json, "downs", &entry->downs);
	put_texts(json, "labels", &entry->labels);
	ath_json_key(json, "needs");
	ath_json_open(json, '[');
	for (size_t i = 0; i < node->needs.len; i++)
		ath_json_text(json, chain_of(world)->entries[node->needs.items[i]].id);
	ath_json_close(json, ']');
	ath_json_put_bool(json, "data", effects->has_data);
	ath_json_put_bool(json, "blind", ath_interval_is_blind(effects));
	ath_json_put_bool(json, "literal", effects->is_literal);
	ath_json_put_text(json, "obstacle", effects->obstacle);
	ath_json_close(json, '}');
}

static void put_list(struct ath_json *json, const struct world *world, const char *key,
		     const struct ath_chain_list *list)
{
	ath_json_key(json, key);
	ath_json_open(json, '[');
	for (size_t i = 0; i < list->len; i++)
		ath_json_text(json, chain_of(world)->entries[list->items[i]].id);
	ath_json_close(json, ']');
}

/* Every label with the revisions of its branch. */
static void put_branches(struct ath_json *json, const struct world *world)
{
	struct ath_arena arena = { 0 };
	const struct ath_chain *chain = chain_of(world);

	ath_json_key(json, "branches");
	ath_json_open(json, '{');
	for (size_t i = 0; i < chain->len; i++) {
		for (size_t n = 0; n < chain->entries[i].labels.len; n++) {
			const char *label = chain->entries[i].labels.items[n];
			const bool *set = ath_chain_find_branch(chain, label, &arena);

			ath_json_key(json, label);
			ath_json_open(json, '[');
			for (size_t r = 0; set && r < chain->len; r++) {
				if (set[r])
					ath_json_text(json, chain->entries[r].id);
			}
			ath_json_close(json, ']');
		}
	}
	ath_json_close(json, '}');
	ath_arena_fini(&arena);
}

static void on_chain(struct world *world, char **words, struct ath_json *json)
{
	struct ath_facts_chain_place place = {
		.root = words[1],
		.alembic = words[2],
		.section = words[3],
	};
	struct ath_err err = { 0 };

	clear(world);
	if (!ath_facts_chain_load(&place, &world->chain, &err))
		fail(&err, words[1]);
	ath_json_put_bool(json, "static", world->chain.is_static);
	ath_json_put_text(json, "obstacle", world->chain.obstacle);
	if (!world->chain.is_static)
		return;
	load_effects(world, words[4]);
	ath_json_key(json, "revisions");
	ath_json_open(json, '[');
	for (size_t i = 0; i < chain_of(world)->len; i++)
		put_revision(json, world, i);
	ath_json_close(json, ']');
	put_list(json, world, "order", &chain_of(world)->order);
	put_list(json, world, "heads", &chain_of(world)->heads);
	put_list(json, world, "bases", &chain_of(world)->bases);
	put_branches(json, world);
}

static void on_data(struct world *world, char **words, struct ath_json *json)
{
	size_t count = 0;

	for (; words[count + 1]; count++)
		world->has_data[ath_chain_find(chain_of(world), words[count + 1])] = true;
	ath_json_put_int(json, "data", (int64_t)count);
}

static void on_cut(struct world *world, char **words, struct ath_json *json)
{
	struct truth *truth = ath_vec_push(&world->truths);
	size_t len = 0;

	*truth = (struct truth){ 0 };
	read_file(words[1], words[2], &world->arena, truth);
	while (words[3 + len])
		len++;
	truth->cut = read_cut(world, (const char *const *)words + 3, len, &world->arena);
	ath_json_put_int(json, "number", (int64_t)world->truths.len - 1);
	ath_json_put_int(json, "elements", (int64_t)truth->elements.len);
}

static const struct truth *truth_at(const struct world *world, const char *number)
{
	size_t at = strtoul(number, NULL, 10);

	if (at >= world->truths.len)
		abort();
	return &world->truths.items[at];
}

static void on_ask(struct world *world, char **words, struct ath_json *json)
{
	const struct truth *truth = truth_at(world, words[1]);

	ask(world, truth, &truth->elements, words[2], json);
}

static void on_file(struct world *world, char **words, struct ath_json *json)
{
	struct ath_arena arena = { 0 };
	struct truth truth = *truth_at(world, words[3]), found = { 0 };

	read_file(words[1], words[2], &arena, &found);
	truth.has_table = found.has_table;
	truth.rows = found.rows;
	ask(world, &truth, &found.elements, words[4], json);
	ath_arena_fini(&arena);
}

/* Drift. */

struct random {
	uint64_t state;
};

/* xorshift64*, Vigna 2016 */
static unsigned roll(struct random *random, size_t sides)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (unsigned)((random->state * 0x2545f4914f6cdd1dULL) >> 33) %
	       (unsigned)(sides ? sides : 1);
}

/* What one seed does. */
struct drift {
	const struct world *world;
	struct random random;
	struct ath_arena arena;
	struct live live;
	struct ath_str said; /* the changes, for people */
};

static void insert(struct drift *drift, struct ath_element element)
{
	ath_vec_each (&drift->live.items, one) {
		if (!strcmp(one->key, element.key))
			return;
	}
	*ath_vec_push(&drift->live.items) = element;
	ath_str_printf(&drift->said, " +%s", element.key);
}

static void erase(struct drift *drift, size_t at)
{
	ath_str_printf(&drift->said, " -%s", drift->live.items.items[at].key);
	memmove(&drift->live.items.items[at], &drift->live.items.items[at + 1],
		(drift->live.items.len - at - 1) * sizeof(*drift->live.items.items));
	drift->live.items.len--;
}

/* Place of a random element of that kind, or the number of all. */
static size_t pick(struct drift *drift, enum ath_element_kind kind)
{
	size_t len = drift->live.items.len, start = roll(&drift->random, len);

	for (size_t i = 0; i < len; i++) {
		if (drift->live.items.items[(start + i) % len].kind == kind)
			return (start + i) % len;
	}
	return len;
}

static const char *table_of(struct drift *drift)
{
	size_t at = pick(drift, ATH_ELEMENT_TABLE);

	return at < drift->live.items.len ? drift->live.items.items[at].table : NULL;
}

static struct ath_element column(struct drift *drift, const char *table, const char *name)
{
	return (struct ath_element){
		.kind = ATH_ELEMENT_COLUMN,
		.table = table,
		.key = ath_element_column_key(&drift->arena, table, name),
		.name = name,
		.attributes = { .type = "TEXT", .is_nullable = true },
	};
}

static const char *new_name(struct drift *drift)
{
	return ath_arena_printf(&drift->arena, "zz%u", roll(&drift->random, 1000));
}

static void add_table(struct drift *drift)
{
	const char *name = new_name(drift);

	insert(drift, (struct ath_element){
			      .kind = ATH_ELEMENT_TABLE,
			      .table = name,
			      .key = ath_element_table_key(&drift->arena, name),
			      .name = name,
		      });
	insert(drift, column(drift, name, "id"));
	insert(drift, column(drift, name, "zz"));
}

static void add_column(struct drift *drift)
{
	const char *table = table_of(drift);

	if (table)
		insert(drift, column(drift, table, new_name(drift)));
}

/* Over a column that is there; it may be the very one that a later revision makes. */
static void add_index(struct drift *drift)
{
	size_t at = pick(drift, ATH_ELEMENT_COLUMN);
	const struct ath_element *on = &drift->live.items.items[at];
	const char *names[] = { at < drift->live.items.len ? strchr(on->key, '.') + 1 : "" };
	struct ath_texts columns = { names, 1 };
	bool is_unique = roll(&drift->random, 3) == 0;

	if (at < drift->live.items.len && names[0][0] != '"')
		insert(drift, (struct ath_element){
				      .kind = is_unique ? ATH_ELEMENT_UNIQUE : ATH_ELEMENT_INDEX,
				      .table = on->table,
				      .key = ath_element_index_key(&drift->arena, on->table,
								   &columns, is_unique),
				      .name = new_name(drift),
			      });
}

static void add_named(struct drift *drift)
{
	enum ath_element_kind kind =
		roll(&drift->random, 2) ? ATH_ELEMENT_VIEW : ATH_ELEMENT_TRIGGER;
	const char *name = new_name(drift);

	insert(drift, (struct ath_element){
			      .kind = kind,
			      .table = name,
			      .key = ath_element_named_key(&drift->arena, kind, name),
			      .name = name,
		      });
}

static void lose_index(struct drift *drift)
{
	size_t at = pick(drift, roll(&drift->random, 2) ? ATH_ELEMENT_INDEX : ATH_ELEMENT_UNIQUE);

	if (at < drift->live.items.len)
		erase(drift, at);
}

static void change_type(struct drift *drift)
{
	static const char *const types[] = { "TEXT", "INTEGER", "BIGINT", "VARCHAR(40)", "ZZ" };
	size_t at = pick(drift, ATH_ELEMENT_COLUMN);

	if (at >= drift->live.items.len)
		return;
	drift->live.items.items[at].attributes.type =
		types[roll(&drift->random, sizeof(types) / sizeof(types[0]))];
	ath_str_printf(&drift->said, " ~%s:%s", drift->live.items.items[at].key,
		       drift->live.items.items[at].attributes.type);
}

/* Something of another state of this chain: put there by hand, or never taken away. */
static void borrow_any(struct drift *drift, bool wants_column)
{
	const struct truth *other =
		&drift->world->truths.items[roll(&drift->random, drift->world->truths.len)];
	const struct ath_element *one =
		&other->elements.items[roll(&drift->random, other->elements.len)];
	const char *table =
		other->elements.len ? ath_element_table_key(&drift->arena, one->table) : "";

	if (!other->elements.len || one->kind == ATH_ELEMENT_TABLE ||
	    (one->kind == ATH_ELEMENT_COLUMN) != wants_column)
		return;
	for (size_t i = 0; i < drift->live.items.len; i++) {
		if (!strcmp(drift->live.items.items[i].key, table)) {
			insert(drift, *one);
			return;
		}
	}
}

static void borrow(struct drift *drift)
{
	borrow_any(drift, false);
}

static void borrow_column(struct drift *drift)
{
	borrow_any(drift, true);
}

static void lose_column(struct drift *drift)
{
	size_t at = pick(drift, ATH_ELEMENT_COLUMN);
	struct ath_element gone;

	if (at >= drift->live.items.len)
		return;
	gone = drift->live.items.items[at];
	erase(drift, at);
	for (size_t i = drift->live.items.len; i-- > 0;) {
		if (ath_element_is_over(&drift->live.items.items[i], &gone))
			erase(drift, i);
	}
}

/* What happens to installations, and last what only a person does, without a trace. */
static void (*const changes[])(struct drift *) = {
	add_table,   add_column,  add_index, add_named,     lose_index,  lose_index,
	change_type, change_type, borrow,    borrow_column, lose_column,
};

enum {
	CHANGES = sizeof(changes) / sizeof(changes[0]),
	CHANGES_BY_HAND = 2,
};

static struct question start(struct drift *drift, uint64_t seed, bool is_by_hand,
			     const struct truth **out_truth)
{
	const struct world *world = drift->world;
	const struct truth *truth, *other;
	struct question question = { .has_table = true };
	size_t count;

	drift->random.state = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	truth = &world->truths.items[roll(&drift->random, world->truths.len)];
	other = &world->truths.items[roll(&drift->random, world->truths.len)];
	for (size_t i = 0; i < truth->elements.len; i++)
		*ath_vec_push(&drift->live.items) = truth->elements.items[i];
	count = 1 + roll(&drift->random, 4);
	for (size_t i = 0; i < count; i++)
		changes[roll(&drift->random, is_by_hand ? CHANGES : CHANGES - CHANGES_BY_HAND)](
			drift);
	question.live.len = ath_element_sort(drift->live.items.items, drift->live.items.len);
	question.live.items = drift->live.items.items;
	switch (roll(&drift->random, 4)) {
	case 0:
		question.rows = truth->rows;
		break;
	case 1:
		question.rows = other->rows;
		break;
	case 2:
		question.has_table = false;
		break;
	default:
		break;
	}
	*out_truth = truth;
	return question;
}

struct tally {
	uint64_t seeds, confident, asked, wrong;
};

static void show(const struct world *world, uint64_t seed, const struct drift *drift,
		 const struct truth *truth, const struct question *question,
		 const struct answer *answer, struct ath_json *json)
{
	struct ath_arena arena = { 0 };
	struct ath_chain_list tips = ath_chain_find_tips(chain_of(world), truth->cut, &arena);

	ath_json_open(json, '{');
	ath_json_put_int(json, "seed", (int64_t)seed);
	put_list(json, world, "truth", &tips);
	put_texts(json, "rows", &question->rows);
	ath_json_put_text(json, "drift", ath_str_get(&drift->said));
	put_answer(json, world, answer);
	ath_json_close(json, '}');
	ath_arena_fini(&arena);
}

static void try_seed(const struct world *world, uint64_t seed, const char *judge,
		     struct tally *tally, struct ath_json *json)
{
	struct drift drift = { .world = world };
	const struct truth *truth;
	struct question question = start(&drift, seed, ath_str_is(judge, "by_hand"), &truth);
	struct answer answer = ath_str_is(judge, "naive") ? guess(world, &question)
							  : infer(world, &question, &drift.arena);

	tally->seeds++;
	if (!is_confident(&answer)) {
		tally->asked++;
	} else {
		tally->confident++;
		if (!is_fine(world, truth, &question.live, &answer) && ++tally->wrong <= SHOWN_MAX)
			show(world, seed, &drift, truth, &question, &answer, json);
	}
	ath_vec_fini(&drift.live.items);
	ath_str_fini(&drift.said);
	ath_arena_fini(&drift.arena);
}

static void on_drift(struct world *world, char **words, struct ath_json *json)
{
	uint64_t first = strtoull(words[1], NULL, 10), count = strtoull(words[2], NULL, 10);
	struct tally tally = { 0 };

	ath_json_key(json, "shown");
	ath_json_open(json, '[');
	for (uint64_t i = 0; i < count; i++)
		try_seed(world, first + i, words[3], &tally, json);
	ath_json_close(json, ']');
	ath_json_put_int(json, "seeds", (int64_t)tally.seeds);
	ath_json_put_int(json, "confident", (int64_t)tally.confident);
	ath_json_put_int(json, "asked", (int64_t)tally.asked);
	ath_json_put_int(json, "wrong", (int64_t)tally.wrong);
}

/* Requests. */

static const struct {
	const char *name;
	size_t words; /* at least, with its name */
	void (*run)(struct world *world, char **words, struct ath_json *json);
} requests[] = {
	{ "chain", 5, on_chain }, { "data", 1, on_data }, { "cut", 3, on_cut },
	{ "ask", 3, on_ask },     { "file", 5, on_file }, { "drift", 4, on_drift },
};

static void answer_line(struct world *world, char *line)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	char *words[WORDS_MAX + 1] = { 0 }, *at = line, *word;
	size_t len = 0, i = 0;

	while (len < WORDS_MAX && (word = strtok_r(at, "\t\n", &at)))
		words[len++] = word;
	while (i < sizeof(requests) / sizeof(requests[0]) &&
	       !(len && ath_str_is(requests[i].name, words[0])))
		i++;
	if (i == sizeof(requests) / sizeof(requests[0]) || len < requests[i].words) {
		fprintf(stderr, "not understood: %s\n", line);
		exit(1);
	}
	ath_json_open(&json, '{');
	requests[i].run(world, words, &json);
	ath_json_close(&json, '}');
	puts(ath_str_get(&text));
	ath_str_fini(&text);
}

int main(void)
{
	struct world world = { 0 };
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		answer_line(&world, line);
	free(line);
	clear(&world);
	return 0;
}
