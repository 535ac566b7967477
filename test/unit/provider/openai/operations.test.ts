/** Operations of OpenAI's API other than chats and responses: what of a request reaches the rules. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const openai = protocolOf('openai');
const request = (operation: string, body: unknown) =>
  openai.readRequest(operation, Buffer.from(JSON.stringify(body)), headOf('/'));
type Field = readonly [name: string, value: string, fileName?: string];
const form = (...fields: readonly Field[]) =>
  Buffer.from(
    `${fields
      .map(([name, value, fileName]) => {
        const file = fileName === undefined ? '' : `; filename="${fileName}"`;
        return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;
      })
      .join('')}--b--\r\n`,
  );
const formRequest = (operation: string, ...fields: readonly Field[]) =>
  openai.readRequest(operation, form(...fields), headOf('/', 'multipart/form-data; boundary=b'));

describe('the route', () => {
  test.each([
    ['POST', '/v1/completions', 'completions'],
    ['POST', '/v1/engines/davinci/completions', 'completions'],
    ['GET', '/v1/chat/completions', 'chat.completions.list'],
    ['GET', '/v1/chat/completions/c1/messages', 'chat.completions.list'],
    ['POST', '/v1/responses/compact', 'responses.compact'],
    ['POST', '/v1/responses/input_tokens', 'responses.input_tokens'],
    ['GET', '/v1/responses/resp_1/input_items', 'responses.input_items'],
    // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    ['POST', '/v1/chat/completions/render', 'chat.completions.render'],
    ['POST', '/v1/completions/render', 'served.words'],
    // https://docs.perplexity.ai/docs/grounded-llm/openai-compatibility
    ['POST', '/v1/agent', 'responses'],
    ['GET', '/v1/agent/resp_1', 'responses'],
    // https://docs.perplexity.ai/api-reference/search-post
    ['POST', '/search', 'served.words'],
    // https://dev.writer.com/api-reference/completion-api/chat-completion
    ['POST', '/v1/chat', 'served.any'],
    // https://docs.litellm.ai/docs/pass_through/cohere
    ['POST', '/cohere/v2/chat', 'served.any'],
    // https://lmstudio.ai/docs/developer/rest/chat
    ['POST', '/api/v1/chat', 'lmstudio.chat'],
    // https://docs.sglang.ai/basic_usage/native_api.html
    ['POST', '/parse_function_call', 'served.calls'],
    // https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
    ['POST', '/v2/models/m/infer', 'served.generate'],
    // https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints
    ['POST', '/score', 'served.any'],
    // https://github.com/ggml-org/llama.cpp/tree/master/tools/server
    ['POST', '/apply-template', 'chat.completions.render'],
    // https://replicate.com/docs/reference/http
    ['POST', '/v1/predictions/p/cancel', 'hosted.model'],
    // https://huggingface.github.io/text-generation-inference/
    ['POST', '/', 'served.generate'],
    ['POST', '/chat_tokenize', 'chat.completions.render'],
    ['POST', '//', 'served.generate'],
    ['GET', '/', 'unknown'],
    // https://developers.openai.com/api/docs/guides/agents-api
    ['POST', '/v1/agents/automations/a/invocations', 'agents.sessions'],
    ['POST', '/v1/agents/environments/templates', 'agents'],
    // https://learn.microsoft.com/rest/api/microsoft-foundry
    ['POST', '/api/projects/p/agents/a/versions', 'agents'],
    // https://docs.x.ai/docs/api-reference
    ['POST', '/v1/tts', 'audio.speech'],
    ['POST', '/v1/tokenize-text', 'served.words'],
    ['POST', '/v1/documents/search', 'served.words'],
    ['POST', '/v1/stt', 'audio.transcriptions'],
    ['POST', '/v1/videos/generations', 'videos'],
    // https://openrouter.ai/docs/api-reference
    ['POST', '/api/v1/images', 'images.generations'],
    ['POST', '/api/v1/presets/p/messages', 'messages'],
    ['POST', '/v1/embeddings', 'embeddings'],
    ['POST', '/v1/images/edits', 'images.edits'],
    ['POST', '/v1/audio/speech', 'audio.speech'],
    ['POST', '/v1/audio/transcriptions', 'audio.transcriptions'],
    ['POST', '/v1/moderations', 'moderations'],
    ['POST', '/v1/files', 'files'],
    ['GET', '/v1/files/file-1/content', 'files.content'],
    ['GET', '/v1/containers/c/files/f/content', 'files.content'],
    ['POST', '/v1/vector_stores/vs/files', 'vector_stores'],
    ['POST', '/v1/containers/c/files', 'containers'],
    ['POST', '/v1/uploads/u/parts', 'uploads'],
    ['POST', '/v1/batches', 'batches'],
    ['POST', '/v1/vector_stores/vs/search', 'vector_stores.search'],
    ['GET', '/v1/vector_stores/vs/files/f/content', 'vector_stores.search'],
    ['POST', '/v1/assistants', 'assistants'],
    ['POST', '/v1/threads', 'threads'],
    ['POST', '/v1/threads/t/messages', 'threads.messages'],
    ['POST', '/v1/threads/runs', 'threads.runs'],
    ['GET', '/v1/threads/t/runs', 'threads.runs'],
    ['GET', '/v1/threads/t/runs/r', 'threads.runs'],
    ['POST', '/v1/threads/t/runs/r/submit_tool_outputs', 'threads.runs'],
    ['POST', '/v1/threads/t/runs/r/cancel', 'threads.runs'],
    ['GET', '/v1/threads/t/runs/r/steps', 'threads.runs.steps'],
    ['GET', '/v1/threads/t/runs/r/steps/s', 'threads.runs.steps'],
    ['POST', '/v1/conversations', 'conversations'],
    ['GET', '/v1/conversations/c/items', 'conversations.items'],
    ['GET', '/v1/conversations/c/items/i', 'conversations.items'],
    ['POST', '/v1/realtime/client_secrets', 'realtime.sessions'],
    ['POST', '/v1/realtime', 'realtime.calls'],
    ['GET', '/v1/realtime', 'unknown'],
    ['POST', '/v1/realtime/calls', 'realtime.calls'],
    ['POST', '/v1/videos', 'videos'],
    ['GET', '/v1/videos/v/content', 'content'],
    ['GET', '/v1/chatkit/threads/t/items', 'chatkit.threads'],
    ['GET', '/v1/agents/sessions/s/events', 'agents.sessions.stream'],
    ['POST', '/v1/agents/sessions/s/events', 'agents.sessions'],
    ['GET', '/v1/agents/sessions/s/turns/t/items', 'agents.sessions'],
    ['GET', '/v1/evals/e/runs/r/output_items', 'evals.runs'],
    ['POST', '/v1/fine_tuning/jobs', 'fine_tuning'],
    ['POST', '/v1/fine-tunes', 'fine_tuning'],
    ['POST', '/v1/accounts/a/supervisedFineTuningJobs', 'fine_tuning'],
    ['POST', '/v1/accounts/a/reinforcementFineTuningJobs', 'fine_tuning'],
    ['POST', '/v1/accounts/a/dpoJobs', 'fine_tuning'],
    ['POST', '/v1/accounts/a/evaluationJobs', 'fine_tuning'],
    ['GET', '/v1/accounts/a/dpoJobs', 'unknown'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(openai.operationOf(method, path)).toBe(operation);
  });

  test.each(['/v1/threads/t/runs/r/', '/v1//Threads/t/%72uns/r', '/gateway/v1/threads/t/runs/r?stream=true'])(
    '%s is a run in every spelling a router may accept',
    (path) => {
      expect(openai.operationOf('GET', path)).toBe('threads.runs');
    },
  );
});

describe('words and model reach the rules:', () => {
  test.each([
    ['completions', { model: 'm', prompt: 'Once', suffix: 'end' }, 'Once\nend'],
    ['completions', { model: 'm', prompt: ['one', 'two'] }, 'one\ntwo'],
    ['embeddings', { model: 'm', input: 'a secret' }, 'a secret'],
    ['embeddings', { model: 'm', input: ['a', 'b'] }, 'a\nb'],
    ['moderations', { model: 'm', input: [{ type: 'text', text: 'hm' }, { type: 'image_url' }] }, 'hm'],
    ['images.generations', { model: 'm', prompt: 'a cat' }, 'a cat'],
    ['audio.speech', { model: 'm', instructions: 'Slowly.', input: 'Good day' }, 'Slowly.\nGood day'],
    ['videos', { model: 'm', prompt: 'a dog' }, 'a dog'],
    ['responses.input_tokens', { model: 'm', input: 'How long?' }, 'How long?'],
    ['responses.compact', { model: 'm', input: [{ role: 'user', content: 'Long' }] }, 'Long'],
    ['assistants', { model: 'm', instructions: 'Be kind.', name: 'Kim' }, 'Be kind.'],
    ['agents.sessions', { model: 'm', input: [{ content: [{ text: 'Deep' }] }] }, 'Deep'],
    ['evals.runs', { model: 'm', data_source: { source: { content: [{ item: { q: 'x' } }] } } }, 'x'],
    ['fine_tuning', { model: 'm', suffix: 'ours', training_file: 'file-1' }, 'ours'],
    ['served.words', { model: 'm', query: ['one', 'two'] }, 'one\ntwo'],
    ['served.any', { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, 'Hi'],
    ['served.calls', { model: 'm', text: '{"name":"pay"}', tools: [] }, '{"name":"pay"}'],
  ])('%s', (operation, body, text) => {
    const { facts, defects } = request(operation, body);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'm', text });
  });

  test.each([
    ['agents.sessions', { agent: { model: 'm' } }],
    ['evals.runs', { data_source: { type: 'completions', model: 'm' } }],
    ['fine_tuning', { grader: { type: 'score_model', model: 'm' } }],
    ['fine_tuning', { baseModel: 'm', dataset: 'd' }],
    ['fine_tuning', { warmStartFrom: 'm' }],
    ['fine_tuning', { settings: { base_model: { name: 'm', base_type: 'BASE_TYPE_CHAT' } } }],
    ['fine_tuning', { settings: { base_model: { base_type: 'm' } } }],
  ])('the model that %s names within', (operation, body) => {
    expect(request(operation, body).facts.model).toBe('m');
  });

  test('a search has its query', () => {
    expect(
      request('vector_stores.search', { query: ['who', 'why'], max_num_results: 3 }).facts,
    ).toMatchObject({
      text: 'who\nwhy',
      params: { max_num_results: 3 },
    });
  });

  test('a text in the place of one message is a message too', () => {
    expect(request('embeddings', { input: 'x' }).facts.messages).toEqual([
      { role: 'user', text: 'x', toolCalls: [] },
    ]);
  });

  test.each([
    ['embeddings', { input: [1, 2, 3] }, 3],
    ['completions', { prompt: [[1, 2], [3]] }, 3],
  ])('%s of token ids says how many there are, since nobody can read them', (operation, body, tokenIds) => {
    expect(request(operation, body).facts).toMatchObject({ text: '', tokenIds });
  });

  test('words between token ids are read, however deep they stand', () => {
    const { facts } = request('completions', { prompt: [[12, 'pay', 34], 'now', [[56], 'please']] });
    expect(facts).toMatchObject({ text: 'pay\nnow\nplease', tokenIds: 3 });
  });

  test('a prompt of words has no token ids', () => {
    expect(request('completions', { prompt: ['a', 'b'], tokens: 3 }).facts.tokenIds).toBeUndefined();
  });

  test('a run has instructions, messages, tools and the outputs of tools', () => {
    const { facts, defects } = request('threads.runs', {
      assistant_id: 'a',
      model: 'm',
      stream: true,
      instructions: 'One.',
      additional_instructions: 'Two.',
      thread: { messages: [{ role: 'user', content: 'Three' }] },
      additional_messages: [{ role: 'user', content: [{ type: 'text', text: 'Four' }] }],
      tool_outputs: [{ tool_call_id: 'c', output: 'Five' }],
      tools: [{ type: 'function', function: { name: 'pay', description: 'Pays' } }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'm',
      stream: true,
      system: 'One.\nTwo.',
      text: 'One.\nTwo.\nThree\nFour\nFive',
      params: { assistant_id: 'a' },
      tools: [{ name: 'pay', description: 'Pays' }],
    });
    expect(facts.messages.map((message) => message.role)).toEqual(['user', 'user', 'tool']);
  });

  test('no conversation of Mistral’s, whose answer would go unread', () => {
    for (const path of ['/v1/conversations', '/mistral/v1/conversations/c', '/v1/conversations/c/restart']) {
      const { defects } = request(openai.operationOf('POST', path), { model: 'm', inputs: 'Hi' });
      expect(defects).toEqual(['`inputs` is of another API than the upstream is set up for']);
    }
    const restart = request('conversations', { from_entry_id: 'e' }).defects;
    expect(restart).toEqual(['`from_entry_id` is of another API than the upstream is set up for']);
    expect(request('conversations', { items: [{ type: 'message', content: 'Hi' }] }).defects).toEqual([]);
  });

  test('one message of a thread, and items of a conversation', () => {
    expect(request('threads.messages', { role: 'user', content: 'Hi' }).facts.text).toBe('Hi');
    const items = [{ role: 'user', content: [{ type: 'input_text', text: 'Ho' }] }];
    expect(request('conversations.items', { items }).facts.text).toBe('Ho');
  });

  test('the session of a voice client, wherever the API puts it', () => {
    const session = {
      model: 'gpt-realtime',
      instructions: 'Sing.',
      tools: [{ type: 'function', name: 'pay' }],
    };
    for (const body of [session, { session }]) {
      expect(request('realtime.sessions', body).facts).toMatchObject({
        model: 'gpt-realtime',
        system: 'Sing.',
        tools: [{ name: 'pay' }],
      });
    }
    const call = formRequest('realtime.calls', ['sdp', 'v=0'], ['session', JSON.stringify(session)]);
    expect(call).toMatchObject({ facts: { model: 'gpt-realtime', text: 'Sing.' }, defects: [] });
  });

  test('the offer of a call in bare SDP says nothing and is no defect', () => {
    const reading = openai.readRequest('realtime.calls', Buffer.from('v=0'), headOf('/', 'application/sdp'));
    expect(reading).toMatchObject({ facts: { text: '' }, defects: [] });
  });
});

describe('a form', () => {
  test('has its prompt as text, its model, and all else as parameters', () => {
    const { facts, defects } = formRequest(
      'images.edits',
      ['model', 'gpt-image-1'],
      ['prompt', 'a cat'],
      ['n', '2'],
      ['stream', 'true'],
      ['image[]', '', 'a.png'],
      ['image[]', '', 'b.png'],
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'gpt-image-1',
      text: 'a cat',
      stream: true,
      params: { n: '2', image: 'a.png\nb.png' },
    });
  });

  test('of a file has its purpose and name as parameters', () => {
    const { facts } = formRequest('files', ['purpose', 'batch'], ['file', '{"a":1}', 'requests.jsonl']);
    expect(facts).toMatchObject({ text: '', params: { purpose: 'batch', file: 'requests.jsonl' } });
  });

  test.each([
    ['a model that is a file', [['model', 'gpt-4.1', 'm.txt']], '"model" is a file'],
    ['a prompt that is a file', [['prompt', 'x', 'p.txt']], '"prompt" is a file'],
    ['a stream flag of its own', [['stream', '1']], '`stream` is neither'],
    [
      'two models',
      [
        ['model', 'a'],
        ['model', 'b'],
      ],
      'more than once',
    ],
  ] satisfies readonly (readonly [string, readonly Field[], string])[])(
    'with %s has a defect',
    (_what, fields, defect) => {
      expect(formRequest('images.edits', ...fields).defects.join()).toContain(defect);
    },
  );

  test('with two files to run as a batch has a defect, because only one of them is run', () => {
    const two = formRequest(
      'files',
      ['purpose', 'batch'],
      ['file', '{}', 'a.jsonl'],
      ['file', '{}', 'b.jsonl'],
    );
    expect(two.defects.join()).toContain('cannot be told');
  });

  test('where JSON is meant, or the other way round, has a defect', () => {
    expect(openai.readRequest('files', form(['purpose', 'x']), headOf('/')).defects).not.toEqual([]);
    const typed = headOf('/', 'multipart/form-data; boundary=b');
    expect(openai.readRequest('embeddings', Buffer.from('{"input":"x"}'), typed).defects).not.toEqual([]);
  });
});

test.each(['embeddings', 'threads.runs', 'realtime.sessions', 'conversations.items'])(
  'a repeated key in a request of %s has a defect, and an empty body none',
  (operation) => {
    const twice = Buffer.from('{"model":"a","model":"b"}');
    expect(openai.readRequest(operation, twice, headOf('/')).defects.join()).toContain(
      '"model" more than once',
    );
    expect(openai.readRequest(operation, Buffer.alloc(0), headOf('/')).defects).toEqual([]);
  },
);

describe('the answer', () => {
  test.each(['audio.speech', 'images.generations', 'files.content', 'embeddings', 'unknown'])(
    'of %s gives nothing to judge',
    (operation) => {
      expect(openai.readsAnswer(operation)).toBe(false);
    },
  );

  test.each([
    'completions',
    'audio.transcriptions',
    'threads.runs',
    'conversations.items',
    'agents.sessions',
  ])('of %s is judged', (operation) => {
    expect(openai.readsAnswer(operation)).toBe(true);
  });
});

test('what a request becomes in token ids calls nothing, and its words reach the rules', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
  expect(request('chat.completions.render', body).facts).toMatchObject({ model: 'm', text: 'Hi' });
  expect(openai.readsAnswer('chat.completions.render')).toBe(false);
});

test('a session’s namespace offers its tools by their own names', () => {
  const tools = [{ type: 'namespace', name: 'bank', tools: [{ type: 'function', name: 'pay' }] }];
  const { facts } = request('realtime.sessions', { session: { type: 'realtime', tools } });
  expect(facts.tools.map(({ name }) => name)).toEqual(['bank', 'pay']);
});
