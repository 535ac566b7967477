import './power-failure.test.ts';
